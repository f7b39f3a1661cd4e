"""What a good record of each of Dolly's eight categories is like, in a few words for whoever writes one."""

from typing import NamedTuple


class Guideline(NamedTuple):
    """The title of a category, what one writes, what makes it good, and an example of an instruction."""

    title: str
    what: str
    advice: tuple[str, ...]
    example: str


GUIDELINES = {
    "closed_qa": Guideline(
        "Question on a passage",
        "A question that the passage answers, and the answer.",
        ("Ask so that the question stands alone: name its subject.", "Answer from the passage and nothing else."),
        "By which day must an application for leave be handed in?",
    ),
    "information_extraction": Guideline(
        "Extraction",
        "A request to pull certain facts out of the passage, and these facts.",
        ("Say which facts, and in which form: a list, a table, a date.", "Leave out what was not asked for."),
        "List every deadline in the passage with its date.",
    ),
    "summarization": Guideline(
        "Summary",
        "A request to sum the passage up, and the summary.",
        ("Say how long it should be, or for whom.", "Add nothing that the passage does not say."),
        "Sum this up in two sentences for a new colleague.",
    ),
    "open_qa": Guideline(
        "Open question",
        "A question about the world, and a correct answer.",
        ("Take a question that has one answer.", "Look it up if you are not sure."),
        "Why does ice float on water?",
    ),
    "general_qa": Guideline(
        "Advice or opinion",
        "A question whose answer needs judgement, and yours.",
        ("Say what it depends on.", "Be as brief as you would be to a friend."),
        "Should I learn to type with ten fingers?",
    ),
    "classification": Guideline(
        "Classification",
        "Things to be sorted into groups, and the groups.",
        ("Name the things and the groups in the instruction.", "Put each thing into exactly one group."),
        "Which of these are fruits and which vegetables: leek, plum, fennel?",
    ),
    "brainstorming": Guideline(
        "Brainstorming",
        "A request for ideas, and a list of them.",
        ("Say for what, and how many.", "Give ideas that differ from each other."),
        "Give me five ideas for a rainy afternoon with children.",
    ),
    "creative_writing": Guideline(
        "Creative writing",
        "A request to write something, and what you wrote.",
        ("Set one rule: a length, a form, a reader.", "Write it yourself."),
        "Write a four-line poem about a lighthouse.",
    ),
}
"""Category -> its guideline; those on a passage first."""
ALWAYS = (
    "In your own words: not from a website, and not by a language model.",
    "No names, addresses or numbers of people.",
)

"""Dolly's prompt format, chat messages beside it, and the cleaning that keeps both unforgeable.

The format is the one Dolly was trained on (databrickslabs/dolly, training/consts.py), to the character: a prompt
ends right after "### Response:" and its newline, because the newline is part of that token. Everything that comes
from a user or a document goes through `sanitise` here, so no text can tokenise to a control token.

Limits: this guards control *tokens*. A document can still say "ignore the question"; that is caught later, when
every sentence of the answer is checked against its source. "Input:" is plain text to Dolly, not a token.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

from rag_dolly.types import Turn

INTRO = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
INSTRUCTION_KEY = "### Instruction:"
INPUT_KEY = "Input:"
RESPONSE_KEY = "### Response:"
END_KEY = "### End"
DOLLY_KEYS = (INSTRUCTION_KEY, RESPONSE_KEY, END_KEY)
"""What Dolly's tokenizer turns into control tokens; a trailing newline is left off, the template may add it."""
FOREIGN_MARKS = (
    *("<|", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>", "<s>", "</s>", "<mask>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[THINK]", "[/THINK]"),
    *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>"),
    *("]~b]", "]~!b[", "[gMASK]", "<sop>"),
)
"""What steers common chat models, for a model whose tokenizer cannot be asked. "<|" begins the marks of most."""

TURN_MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "</s>")
"""Tokens that end a text or begin another turn, as the chat models in use write them."""

SYSTEM = (
    "You answer questions from numbered passages. Use only what the passages say. Answer in one to three short "
    "sentences. If the passages do not contain the answer, say that you do not know."
)

SYSTEM_ALONE = "You are a helpful assistant. Answer briefly and plainly. If you do not know, say so."
"""What a chat model is told when it is asked without passages."""

_NEWLINES = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# Bidi controls and Unicode's Default_Ignorable_Code_Point (zero-width, variation selectors, tags), lone surrogates.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def render_dolly(
    question: str, passages: Sequence[str], history: Sequence[Turn] = (), control_tokens: Collection[str] = ()
) -> str:
    """Return Dolly's prompt, with the "Input:" section if there are passages, without it if not.

    Passages are numbered "[1] ..." in the order given. Earlier turns precede the question in the instruction,
    for Dolly knows no turns. `control_tokens` are guarded against in addition to Dolly's own keys.
    """
    instruction = _instruction(question, history, control_tokens)
    return _open_prompt(instruction, _numbered(passages, control_tokens)) + "\n"


def render_training(instruction: str, context: str, response: str, control_tokens: Collection[str] = ()) -> str:
    """Return a whole training record: the prompt, the response, and the end mark that it shall learn to give."""
    clean = [sanitise(text, control_tokens).strip() for text in (instruction, context, response)]
    return f"{_open_prompt(clean[0], clean[1])}\n{clean[2]}\n\n{END_KEY}"


def chat_messages(
    question: str, passages: Sequence[str], history: Sequence[Turn] = (), control_tokens: Collection[str] = ()
) -> list[dict[str, str]]:
    """Return the messages for a chat model: system, earlier turns, then passages, if any, and question as the user."""
    messages = [{"role": "system", "content": SYSTEM if passages else SYSTEM_ALONE}]
    for asked, answered in history:
        messages.append({"role": "user", "content": sanitise(asked, control_tokens).strip()})
        messages.append({"role": "assistant", "content": sanitise(answered, control_tokens).strip()})
    asked = sanitise(question, control_tokens).strip()
    numbered = _numbered(passages, control_tokens)
    content = f"Passages:\n{numbered}\n\nQuestion: {asked}" if numbered else asked
    return [*messages, {"role": "user", "content": content}]


def sanitise(text: str, control_tokens: Collection[str] = ()) -> str:
    r"""Return `text` with nothing in it that tokenises to a control token, and nothing invisible.

    Dolly's three keys are always guarded, `control_tokens` in addition; tokens of white space alone are not.
    A control token stays readable: a space is put after its first character ("< |im_start|>", "# ## End").
    Matching ignores case and compatibility forms, so that a tokenizer's normaliser cannot undo it. Newlines
    become "\n", other control characters a space. Cleaning twice changes nothing more.
    """
    text = _CONTROLS.sub(" ", _NEWLINES.sub("\n", _INVISIBLE.sub("", text)))
    pattern = _pattern(frozenset(control_tokens))
    while (broken := _break_apart(text, pattern)) != text:
        text = broken
    return text


def _open_prompt(instruction: str, context: str) -> str:
    sections = [INTRO, f"{INSTRUCTION_KEY}\n{instruction}"]
    if context:
        sections.append(f"{INPUT_KEY}\n{context}")
    return "\n\n".join([*sections, RESPONSE_KEY])


def _instruction(question: str, history: Sequence[Turn], control_tokens: Collection[str]) -> str:
    lines = [
        f"Earlier question: {sanitise(asked, control_tokens).strip()}\n"
        f"Earlier answer: {sanitise(answered, control_tokens).strip()}\n"
        for asked, answered in history
    ]
    return "\n".join([*lines, sanitise(question, control_tokens).strip()])


def _numbered(passages: Sequence[str], control_tokens: Collection[str]) -> str:
    return "\n\n".join(f"[{n}] {sanitise(text, control_tokens).strip()}" for n, text in enumerate(passages, start=1))


@lru_cache(maxsize=16)
def _pattern(control_tokens: frozenset[str]) -> re.Pattern[str]:
    folded = {_fold(token.strip())[0].strip() for token in (*DOLLY_KEYS, *control_tokens)} - {""}
    return re.compile("|".join(re.escape(token) for token in sorted(folded, key=lambda t: (-len(t), t))))


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Return `text` without differences of case and compatibility form, and for each character its origin."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        plain = unicodedata.normalize("NFKC", character).casefold()
        folded.append(plain)
        origin.extend([place] * len(plain))
    return "".join(folded), origin


def _break_apart(text: str, pattern: re.Pattern[str]) -> str:
    """Put a space into each control token; one that is a single character is replaced by the space.

    Repeating this ends: each pass lengthens the white space after some character, which no token can do forever.
    """
    folded, origin = _fold(text)
    pieces: list[str] = []
    done = 0
    for match in pattern.finditer(folded):
        first, last = origin[match.start()], origin[match.end() - 1]
        if first < done:
            continue
        pieces += [text[done : first + 1] if last > first else text[done:first], " "]
        done = first + 1
    return "".join([*pieces, text[done:]])

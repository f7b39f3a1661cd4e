"""A language model in memory, and what a backend has for it: it says back what it was asked, a word at a time."""

import time


class FakePipeline:
    """Says "You said: QUESTION.", and with "long" in the question a hundred times; its window is 400 letters."""

    name = "fake"
    window = 400

    def __init__(self, pause=0.0):
        self.pause = pause
        self.prompts = []

    def render(self, question, passages, history=()):
        assert not passages
        turns = "".join(f"{asked}\n{answered}\n" for asked, answered in history)
        return f"{turns}{question}"

    def count(self, prompt):
        return len(prompt)

    def stream(self, prompt, max_tokens, stop):
        self.prompts.append(prompt)
        said = f"You said: {prompt.splitlines()[-1]} "
        for word in (said * (100 if "long" in prompt else 1)).split():
            if stop():
                return
            time.sleep(self.pause)
            yield f"{word} "


class FakeModel:
    """The part of a backend that has to do with the model: `model="none"` has none."""

    max_tokens = 100
    keeps_conversations = False
    pipeline = None

    def load_model(self, tell):
        if self.model == "none":
            return None
        self.pipeline = self.pipeline or FakePipeline(self.pause)
        return self.pipeline

    def open_reranker(self, embedder):
        return None

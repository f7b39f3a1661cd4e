"""The one piece of JavaScript: clicks on citations in an answer, Escape, and where the focus goes.

It listens on the page for clicks (the Enter key on a link counts as one) on links to `#cite-TURN-NUMBER` and
hands "TURN-NUMBER" to Python, which checks it. An answer that is being written is drawn anew several times a second,
and its links with it: a press that began on one link and ended on what took its place is a click too, and the new one
gets the focus that the old one had. When a source opens, its panel gets the focus and the passage is scrolled into
view; when it closes, the focus returns to the citation; a new question is scrolled to. A click on "Copy
link" puts the link's address on the clipboard. It gets a panel's name and a count and writes no markup.
"""

from collections.abc import Callable

import streamlit as st

_KEY = "links"

_SCRIPT = """
let detach = null;
let shown = null;
let origin = null;
let turns = 0;
let pressed = null;
let followed = -1000;
let focused = null;

function reveal(key, tries) {
  const panel = document.querySelector('.st-key-' + key);
  const text = panel ? panel.querySelector('.rd-document mark') : null;
  const picture = panel ? panel.querySelector('img') : null;
  if (!(picture && picture.complete) && !(text && !panel.querySelector('.rd-position'))) {
    if (tries > 0) setTimeout(() => reveal(key, tries - 1), 100);
    return;
  }
  panel.setAttribute('tabindex', '-1');
  panel.setAttribute('role', 'region');
  panel.setAttribute('aria-label', 'Source');
  panel.focus({ preventScroll: true });
  const shown = (picture || text).getBoundingClientRect();
  const note = panel.querySelector('.rd-position');
  const down = picture && note ? Number(note.dataset.top) * shown.height : 0;
  const above = shown.top + down - panel.getBoundingClientRect().top;
  panel.scrollTop += Math.max(0, above - panel.clientHeight / 3);
}

function bring(turn, tries) {
  const element = document.querySelector('.st-key-turn-' + turn);
  if (element) element.scrollIntoView({ block: 'start' });
  else if (tries > 0) setTimeout(() => bring(turn, tries - 1), 100);
}

function restore(href, tries, first) {
  // The page may still be redrawn, which drops the focus: look again, but never take it from where a person put it.
  const link = document.querySelector('a[href="' + href + '"]');
  if (link && (first || document.activeElement === document.body)) link.focus();
  if (tries > 0) setTimeout(() => restore(href, tries - 1, first && !link), 100);
}

function citation(element) {
  return element && element.closest ? element.closest('a[href^="#cite-"]') : null;
}

function alike(link) {
  return [...document.querySelectorAll('a[href="' + link.getAttribute('href') + '"]')];
}

function copy(link) {
  const said = link.textContent;
  navigator.clipboard.writeText(link.href).then(
    () => {
      link.textContent = 'Copied';
      setTimeout(() => { link.textContent = said; }, 2000);
    },
    () => window.prompt('Copy this link', link.href),
  );
}

export default function ({ data, setTriggerValue }) {
  const follow = (link) => {
    origin = link.getAttribute('href');
    setTriggerValue('cite', origin.slice('#cite-'.length));
  };
  const onClick = (event) => {
    const copied = event.target.closest ? event.target.closest('a.rd-copy') : null;
    if (copied && navigator.clipboard) {
      event.preventDefault();
      event.stopPropagation();
      copy(copied);
      return;
    }
    const link = citation(event.target);
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.detail || event.timeStamp - followed > 500) follow(link);
  };
  const onDown = (event) => {
    const link = event.button === 0 ? citation(event.target) : null;
    pressed = link && link.getAttribute('href');
    focused = null;
  };
  const onUp = (event) => {
    const link = pressed && citation(document.elementFromPoint(event.clientX, event.clientY));
    if (!link || link.getAttribute('href') !== pressed) return;
    followed = event.timeStamp;
    follow(link);
  };
  const onFocus = (event) => {
    const link = citation(event.target);
    focused = link && { link, place: alike(link).indexOf(link) };
  };
  const onRedraw = new MutationObserver(() => {
    if (!focused || focused.link.isConnected || document.activeElement !== document.body) return;
    const link = alike(focused.link)[focused.place];
    if (link) link.focus({ preventScroll: true });
  });
  const onKey = (event) => {
    if (event.key === 'Escape' && shown) setTriggerValue('close', 'escape');
  };
  if (detach) detach();
  const heard = { click: onClick, keydown: onKey, pointerdown: onDown, pointerup: onUp, focusin: onFocus };
  for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear, true);
  onRedraw.observe(document.body, { childList: true, subtree: true });
  detach = () => {
    for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear, true);
    onRedraw.disconnect();
  };
  const opened = data && data.opened ? data.opened : null;
  if (opened && opened !== shown) reveal(opened, 30);
  if (!opened && shown && origin) restore(origin, 15, true);
  shown = opened;
  if (data && data.turns > turns) bring(data.turns - 1, 30);
  turns = data ? data.turns : 0;
  return detach;
}
"""

_listener = None


def listen(opened_key: str | None, turns: int, follow: Callable[[str], None], close: Callable[[], None]) -> None:
    """Listen; a followed citation calls `follow` with "TURN-NUMBER", Escape calls `close`, before the next run.

    `opened_key` names the panel that is open in this run, `turns` counts the questions so far. Call it once in
    a run, always at the same place.
    """
    global _listener
    if _listener is None:
        _listener = st.components.v2.component("rag_dolly_links", js=_SCRIPT)
    _listener(
        key=_KEY,
        data={"opened": opened_key, "turns": turns},
        on_cite_change=lambda: follow(str(st.session_state[_KEY].get("cite") or "")),
        on_close_change=close,
    )

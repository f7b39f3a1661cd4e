"""The page's style sheet: one constant, written by us; it follows the theme and holds no text of anybody else.

Names starting with `rd-` are classes that `markup.py` writes; `st-key-NAME` is what Streamlit makes of `key=`.
"""

CSS = """
.stApp { --rd-width: 46rem; --rd-mark: #ffe58f; --rd-serif: "Source Serif", Georgia, serif;
         --rd-accent: light-dark(#1f6f5c, #63c2a6); --rd-tint: light-dark(#e3efe9, #24382f);
         --rd-line: light-dark(#dedad0, #363c40); --rd-soft: light-dark(#5a6066, #a9aeb0);
         --rd-paper: light-dark(#ffffff, #1c2022); }

/* the page */
.stAppToolbar::before { content: "rag-dolly"; font-family: var(--rd-serif); font-weight: 600; font-size: 1.15rem;
                        color: var(--rd-accent); margin: 0 1.25rem 0 .5rem; white-space: nowrap; }
.stMainBlockContainer { padding: 4.75rem 2.5rem 2rem; max-width: 88rem; }
[data-testid="stBottomBlockContainer"] { padding: .75rem 2.5rem 1rem; max-width: 88rem; }
.st-key-thread, .st-key-welcome, .st-key-library, .st-key-ask-box {
  max-width: var(--rd-width); margin: 0 auto; width: 100%; }
.st-key-beside .st-key-thread { margin: 0; max-width: none; }
.st-key-welcome { padding-top: 10vh; }
h1.rd-title { font-family: var(--rd-serif); font-weight: 600; font-size: 2.5rem; letter-spacing: -.015em;
              line-height: 1.15; padding: 0; margin: 0; }
.rd-lead { font-size: 1.0625rem; line-height: 1.5; color: var(--rd-soft); margin: .35rem 0 .75rem; }
h3.rd-label, p.rd-label { font-family: inherit; font-size: .8125rem; font-weight: 600; letter-spacing: .03em;
                          color: var(--rd-soft); margin: 0; padding: 0; line-height: 1.4; }
.rd-note, .rd-privacy { font-size: .875rem; color: var(--rd-soft); margin: 0; }
.rd-privacy { text-align: center; font-size: .8125rem; }
.rd-command { font-family: "Source Code Pro", ui-monospace, monospace; font-size: .9rem; padding: .65rem .9rem;
              background: var(--rd-paper); border: 1px solid var(--rd-line); border-radius: .6rem;
              margin: 0 0 .75rem; overflow-x: auto; }
[class*="st-key-suggestion-"] button { justify-content: flex-start; padding: .6rem 1rem; }
[class*="st-key-suggestion-"] button > div { justify-content: flex-start; text-align: left; }
[class*="st-key-suggestion-"] button:hover { border-color: var(--rd-accent); }

/* a question and its answer */
[class*="st-key-turn-"] { padding-bottom: 1.25rem; margin-bottom: .75rem; border-bottom: 1px solid var(--rd-line);
                          scroll-margin-top: 5rem; }
h2.rd-question { font-family: var(--rd-serif); font-weight: 600; font-size: 1.55rem; line-height: 1.3; padding: 0;
                 letter-spacing: -.01em; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.rd-answer { font-size: 1.0625rem; line-height: 1.7; overflow-wrap: anywhere; }
.rd-answer p { margin: 0 0 .6rem; }
.rd-answer ul { margin: 0 0 .6rem; padding-left: 1.3rem; }
.rd-quoted { border-left: 3px solid var(--rd-line); padding-left: 1rem; }
.rd-quoted .rd-answer { font-family: var(--rd-serif); }
.rd-abstained { font-family: var(--rd-serif); font-size: 1.2rem; font-weight: 600; margin: 0; }
[class*="st-key-abstained-"] { border-style: dashed; }
a.rd-cite { display: inline-block; min-width: 1.4rem; padding: 0 .35rem; margin: 0 .15rem 0 .3rem; font-size: .75rem;
            line-height: 1.2rem; font-weight: 600; font-family: "Source Sans", sans-serif; text-align: center;
            text-decoration: none; vertical-align: .12em; border-radius: .4rem;
            color: var(--rd-accent); background: var(--rd-tint); }
a.rd-cite:hover { box-shadow: inset 0 0 0 1px var(--rd-accent); }
a.rd-cite[aria-current] { color: light-dark(#ffffff, #16191b); background: var(--rd-accent); }
a.rd-cite:focus-visible { outline: 3px solid var(--rd-accent); outline-offset: 2px; }
.rd-bracket { font-size: 0; line-height: 0; }
.rd-status { margin: 0; color: var(--rd-soft); }
.rd-pulse::before { content: ""; display: inline-block; width: .5em; height: .5em; margin-right: .6em;
                    border-radius: 50%; background: var(--rd-accent); animation: rd-pulse 1.2s ease-in-out infinite; }
@keyframes rd-pulse { 50% { opacity: .2; } }
@media (prefers-reduced-motion: reduce) { .rd-pulse::before { animation: none; } }

/* lists of sources */
[class*="st-key-open-"] button { justify-content: flex-start; text-align: left; padding: .35rem .6rem; min-height: 0;
                                 margin-left: -.6rem; width: calc(100% + .6rem); }
[class*="st-key-open-"] button { border: none; }
[class*="st-key-open-"] button:hover, [class*="st-key-open-"] button[kind="secondary"] { background: var(--rd-tint); }
[class*="st-key-open-"] button > div { justify-content: flex-start; width: 100%; min-width: 0; }
[class*="st-key-open-"] button span, [class*="st-key-open-"] [data-testid="stMarkdownContainer"] { min-width: 0; }
[class*="st-key-open-"] button p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .9rem; }

/* how an answer came about */
[class*="st-key-trace-"] h3.rd-label { margin: 1rem 0 .3rem; }
.rd-scroll { overflow-x: auto; }
.rd-table { border-collapse: collapse; font-size: .8125rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
.rd-table th { font-weight: 600; color: var(--rd-soft); white-space: nowrap; }
.rd-table :is(th, td) { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border: none;
                        border-bottom: 1px solid var(--rd-line); overflow-wrap: anywhere; }
.rd-table td.rd-short { white-space: nowrap; }
.rd-table td.rd-long { min-width: 9rem; }
.rd-prompt { font-size: .75rem; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem;
             overflow-y: auto; background: var(--rd-paper); border: 1px solid var(--rd-line); border-radius: .4rem;
             padding: .75rem; margin: .4rem 0 0; }

/* an open source, beside the answer */
[class*="st-key-source-"]:not(.st-key-source-head) {
  position: sticky; top: 4.75rem; max-height: calc(100vh - 13.5rem); overflow-y: auto; outline: none;
  background: var(--rd-paper); }
.st-key-beside [data-testid="stColumn"]:last-child > div { height: 100%; }
div:has(> .st-key-source-head) { position: sticky; top: -1rem; z-index: 2; margin: -1rem 0 0; padding: .75rem 0 .5rem;
                                 background: var(--rd-paper); }
.rd-place { font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.rd-document { font-family: var(--rd-serif); font-size: .975rem; line-height: 1.65; white-space: pre-wrap;
               overflow-wrap: anywhere; outline-offset: 4px; }
.rd-document mark { background: var(--rd-mark); color: #22262a; border-radius: .2em; padding: .08em .12em;
                    -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.rd-position { display: none; }
[class*="st-key-source-"] [data-testid="stElementToolbar"] { top: .5rem; right: .5rem; }
[class*="st-key-source-"] img { border: 1px solid var(--rd-line); border-radius: .4rem; }

/* the library */
.st-key-library { max-width: 60rem; }
.stApp button[kind^="primary"], .stApp button[kind^="primary"]:hover { color: light-dark(#ffffff, #16191b); }
.rd-failures { margin: 0; }
.rd-failures dt { font-weight: 600; overflow-wrap: anywhere; }
.rd-failures dt:not(:first-child) { margin-top: .6rem; }
.rd-failures dd { margin: 0; color: var(--rd-soft); overflow-wrap: anywhere; }

/* a narrow screen: the open source is a sheet at the foot */
@media (max-width: 52rem) {
  .stMainBlockContainer, [data-testid="stBottomBlockContainer"] { padding-left: 1.1rem; padding-right: 1.1rem; }
  h1.rd-title { font-size: 2rem; }
  h2.rd-question { font-size: 1.35rem; }
  .st-key-welcome { padding-top: 4vh; }
  [class*="st-key-source-"]:not(.st-key-source-head) {
    position: fixed; inset: auto 0 0 0; z-index: 999; width: 100%; max-height: 72vh; padding: 1rem;
    border-radius: 1rem 1rem 0 0; box-shadow: 0 -8px 32px rgb(0 0 0 / .28); }
}
"""

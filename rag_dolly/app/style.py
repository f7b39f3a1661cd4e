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
:is(.st-key-menu, .st-key-links) { position: absolute; width: 0; overflow: hidden; }
.stMainBlockContainer { padding: 4.75rem 2.5rem 2rem; max-width: 88rem; }
[data-testid="stBottomBlockContainer"] { padding: .75rem 2.5rem 1rem; max-width: 88rem; }
.st-key-thread, .st-key-welcome, .st-key-library, .st-key-health, .st-key-state, .st-key-plain-offer, .st-key-ask-box {
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
:is(.rd-answer, .rd-document, .rd-said, .rd-passage, h2.rd-question, .rd-short),
.rd-answer :is(p, li) { unicode-bidi: plaintext; text-align: start; }
.rd-answer ul { margin: 0 0 .6rem; padding-left: 1.3rem; }
.rd-short { font-size: 1.3rem; font-weight: 600; line-height: 1.35; margin: 0 0 .35rem; }
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
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-live-"]) {
  position: sticky; bottom: 7rem; z-index: 2; padding: .35rem 0 2.75rem; background: light-dark(#fbfaf6, #16191c); }
.rd-pulse::before { content: ""; display: inline-block; width: .5em; height: .5em; margin-right: .6em;
                    border-radius: 50%; background: var(--rd-accent); animation: rd-pulse 1.2s ease-in-out infinite; }
@keyframes rd-pulse { 50% { opacity: .2; } }
@media (prefers-reduced-motion: reduce) { .rd-pulse::before { animation: none; } }
.rd-plain { border-left: 3px dashed light-dark(#c2702d, #e0a36b); padding-left: 1rem; }
[class*="st-key-acts-"] :is(button, p), .st-key-conversation-tools :is(button, p) { font-size: .875rem; min-height: 0;
                                                                                    color: var(--rd-soft); }
[class*="st-key-acts-"] button:hover p, .st-key-conversation-tools button:hover p { color: var(--rd-accent); }
[class*="st-key-acts-"], .st-key-conversation-tools { column-gap: .9rem; }
[class*="st-key-below-"] { align-items: center; justify-content: space-between; }
[class*="st-key-below-"] > * { flex: 0 1 auto; width: auto; min-width: 0; }
.st-key-history h2.rd-label { font-family: inherit; font-size: .8125rem; font-weight: 600; letter-spacing: .03em;
                              color: var(--rd-soft); margin: 0; padding: 0; }
.st-key-ask-how { align-items: flex-start; }
.st-key-filter-line summary p { white-space: nowrap; }
.st-key-ask-how .st-key-filter-line { flex: 1; min-width: 0; width: auto; }
.st-key-ask-how .st-key-plain-switch { margin-left: auto; padding-top: .35rem; }

/* conversations kept on disk */
.st-key-history-list button { justify-content: flex-start; padding: .3rem .6rem; min-height: 0; border: none; }
.st-key-history-list button > div { justify-content: flex-start; width: 100%; min-width: 0; }
.st-key-history-list button :is(span, [data-testid="stMarkdownContainer"]) { min-width: 0; }
.st-key-history-list button p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .9rem; }
.st-key-history-list button:hover, .st-key-history-list button[kind="secondary"] { background: var(--rd-tint); }

/* how an answer came about, on a page of its own */
.st-key-inspect { max-width: 72rem; margin: 0 auto; width: 100%; }
h2.rd-section { font-family: var(--rd-serif); font-weight: 600; font-size: 1.45rem; line-height: 1.3; padding: 0;
                margin: 1.5rem 0 .25rem; }
.rd-stack { display: flex; height: .8rem; border-radius: .4rem; overflow: hidden; background: var(--rd-tint);
            margin: .3rem 0 .4rem; gap: 1px; }
ul.rd-parts { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; padding: 0; margin: 0 0 1rem;
              font-size: .875rem; color: var(--rd-soft); }
ul.rd-parts li { margin: 0; padding: 0; }
ul.rd-parts li::before { content: ""; display: inline-block; width: .65em; height: .65em; border-radius: .2em;
                         margin-right: .45em; background: var(--rd-part); }
span.rd-part { background: var(--rd-part); }
.rd-part-0 { --rd-part: light-dark(#1f6f5c, #63c2a6); } .rd-part-1 { --rd-part: light-dark(#c2702d, #e0a36b); }
.rd-part-2 { --rd-part: light-dark(#4f6fb0, #8fa9e0); } .rd-part-3 { --rd-part: light-dark(#a8477e, #d78ab5); }
.rd-part-4 { --rd-part: light-dark(#7d8a2e, #b9c46e); } .rd-part-5 { --rd-part: light-dark(#7a5aa6, #b29ad6); }
.rd-free { --rd-part: var(--rd-line); }

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
.st-key-source-head > * { flex: none; width: auto; }
.st-key-source-head > :first-child { flex: 1 1 0; min-width: 0; }
a.rd-copy { font-size: .875rem; color: var(--rd-accent); text-decoration: none; white-space: nowrap; }
a.rd-copy:hover { text-decoration: underline; }
.rd-place { font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.rd-document { font-family: var(--rd-serif); font-size: .975rem; line-height: 1.65; white-space: pre-wrap;
               overflow-wrap: anywhere; outline-offset: 4px; }
.rd-document mark { background: var(--rd-mark); color: #22262a; border-radius: .2em; padding: .08em .12em;
                    -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.rd-position { display: none; }
[class*="st-key-source-"] [data-testid="stElementToolbar"] { top: .5rem; right: .5rem; }
[class*="st-key-source-"] img { border: 1px solid var(--rd-line); border-radius: .4rem; }

/* library, health, states */
.stApp .stExpander summary { opacity: 1; }
.st-key-filter-line summary :is(p, span) { color: var(--rd-soft); }
.st-key-library, .st-key-health { max-width: 56rem; }
.stApp button[kind^="primary"], .stApp button[kind^="primary"]:hover { color: light-dark(#ffffff, #16191b); }
.rd-failures { margin: 0; }
.rd-failures dt { font-weight: 600; overflow-wrap: anywhere; }
.rd-failures dt:not(:first-child) { margin-top: .6rem; }
.rd-failures dd { margin: 0; color: var(--rd-soft); overflow-wrap: anywhere; }
.rd-problem { margin: .25rem 0; overflow-wrap: anywhere; line-height: 1.5; }
.rd-problem code, .rd-steps code, .rd-note code { font-size: .875em; overflow-wrap: anywhere; }
.rd-steps { margin: .5rem 0; padding-left: 1.2rem; line-height: 1.7; color: var(--rd-soft); overflow-wrap: anywhere; }
.st-key-state { padding-top: 8vh; }
.st-key-banner { border-left: 3px solid #c2571a; }
.rd-bar { height: .375rem; border-radius: 1rem; background: var(--rd-line); overflow: hidden; }
.rd-bar > div { height: 100%; border-radius: 1rem; background: var(--rd-accent); transition: width .3s; }
.st-key-run-error { border-left: 3px solid #c2571a; }
:is(.st-key-run-head, .st-key-run-line) > :first-child { flex: 1 1 0; min-width: 0; }
.rd-recent { list-style: none; margin: 0; padding: 0; font-size: .875rem; line-height: 1.7; }
.rd-recent li { display: flex; gap: 1rem; margin: 0; padding: 0; }
.rd-recent .rd-file { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rd-recent :not(.rd-file) { color: var(--rd-soft); flex: none; }
.st-key-folder-line > :first-child { flex: 1 1 14rem; }
:is([class*="st-key-doc-"], [class*="st-key-dir-"]) {
  button { justify-content: flex-start; padding: .3rem .6rem; min-height: 0; margin: 0 -.6rem;
           width: calc(100% + 1.2rem); }
  button:hover { background: var(--rd-tint); }
  button > div, button > div > span { justify-content: flex-start; width: 100%; min-width: 0; }
  button :is(span, [data-testid="stMarkdownContainer"]) { min-width: 0; }
  [data-testid="stMarkdownContainer"] { flex: 1; }
  button p { display: flex; gap: 0 1.25rem; align-items: baseline; width: 100%; text-align: start; line-height: 1.4; }
  button strong { flex: 1 1 35%; min-width: 0; font-weight: 500; overflow: hidden; text-overflow: ellipsis;
                  white-space: nowrap; unicode-bidi: plaintext; text-align: left; }
  button em { flex: 0 1 auto; max-width: 65%; font-style: normal; font-size: .875rem; color: var(--rd-soft);
              overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums; } }
.st-key-documents { border-top: 1px solid var(--rd-line); padding-top: .25rem; }
.st-key-pages > :first-child { flex: 1; }
.st-key-path button { min-height: 0; padding: .1rem .25rem; }
.rd-facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .875rem;
            color: var(--rd-soft); border-top: 1px solid var(--rd-line); padding-top: .75rem; }
.rd-facts .rd-fact { font-weight: 600; }
.rd-facts .rd-value { overflow-wrap: anywhere; }
.rd-name { overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: left; }
h1.rd-name { font-size: 1.9rem; }
h2.rd-section { font-family: var(--rd-serif); font-size: 1.35rem; font-weight: 600; padding: 0; margin: 1.25rem 0 0; }
h2.rd-piece { font-family: inherit; font-size: .8125rem; font-weight: 600; margin: 1.25rem 0 .25rem; padding: 0; }
.rd-card { background: var(--rd-paper); border: 1px solid var(--rd-line); border-radius: .6rem; padding: 1rem 1.25rem; }
.rd-card ul { margin: .5rem 0 0; padding-left: 1.2rem; color: var(--rd-soft); line-height: 1.6; }
:is(.rd-settings, .rd-pairs) { width: 100%; font-size: .9rem; }
.rd-pairs th { width: 11rem; padding-right: 1rem; }
.rd-pairs :is(th, td), .rd-settings tbody :is(th, td) { padding: .4rem .75rem .4rem 0; }
.rd-settings tbody th { color: inherit; }

/* feedback, writing, quality */
.st-key-write, .st-key-quality { max-width: 56rem; margin: 0 auto; width: 100%; }
.rd-guide { border-left: 3px solid var(--rd-accent); padding: .1rem 0 .1rem 1rem; margin-top: .25rem; line-height: 1.5;
            font-size: .9375rem; }
.rd-guide h2.rd-label { color: var(--rd-accent); font: 600 1rem/1.4 "Source Sans", sans-serif; padding: 0; margin: 0; }
.st-key-write [data-testid="stColumn"]:has(.rd-guide) > div { position: sticky; top: 5rem; }
[data-testid="stPopoverBody"] .rd-note { color: inherit; opacity: .8; }
.rd-guide p { margin: .25rem 0 .5rem; }
.rd-guide ul { margin: 0 0 .6rem; padding-left: 1.1rem; }
.rd-guide li { margin: 0 0 .25rem; }
.st-key-passage-search > :first-child { flex: 1 1 12rem; }
.rd-passage, .rd-said { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.6; unicode-bidi: plaintext; }
.rd-passage { font-family: var(--rd-serif); background: var(--rd-paper); border: 1px solid var(--rd-line);
              border-radius: .6rem; padding: .75rem 1rem; max-height: 20rem; overflow-y: auto; margin: .35rem 0 0; }
.rd-said { margin: .1rem 0 .5rem; }
:is(.rd-said, .rd-passage) mark { background: var(--rd-mark); color: #22262a; border-radius: .2em; padding: 0 .1em; }
.rd-similar { border: 1px dashed var(--rd-accent); border-radius: .6rem; padding: .6rem 1rem; font-size: .9375rem; }
.rd-similar :is(p, ul) { margin: 0; }
.rd-table.rd-people { font-size: .9375rem; margin-top: .4rem; min-width: min(100%, 24rem); }
.rd-people :is(th, td) { padding: .35rem 1.5rem .35rem 0; }
.rd-people td, .rd-people thead th:not(:first-child) { text-align: right; }
.rd-people tbody th, .rd-figures tbody th { font-weight: 500; color: inherit; white-space: normal; }
.rd-figures small { color: var(--rd-soft); font-weight: 400; }
.rd-table.rd-figures { font-size: .875rem; width: 100%; }
.rd-figures td { white-space: nowrap; }
.rd-table.rd-figures tbody th { min-width: 6.5rem; overflow-wrap: normal; }
.rd-source { font-size: .9rem; margin: .25rem 0; }
.rd-source summary { cursor: pointer; color: var(--rd-soft); overflow-wrap: anywhere; padding: .15rem 0; }
.rd-source summary:focus-visible { outline: 3px solid var(--rd-accent); outline-offset: 2px; border-radius: .2rem; }
.rd-nothing { padding: 3rem 0 2rem; color: var(--rd-soft); }
.rd-nothing .rd-section { color: light-dark(#22262a, #e6e4df); margin: 0 0 .25rem; }
.rd-nothing p { margin: 0; }
.rd-after { margin: 1rem 0 .35rem; }
.rd-failure { border-top: 1px solid var(--rd-line); padding: 1rem 0 .5rem; }
h3.rd-question { font-family: var(--rd-serif); font-size: 1.15rem; font-weight: 600; padding: 0; margin: 0; }
.rd-fault { color: light-dark(#a33c00, #f0a070); font-size: .875rem; font-weight: 600; margin: .15rem 0 .35rem; }

ol.rd-found { font-size: .875rem; color: var(--rd-soft); margin: .35rem 0 0; padding-left: 1.5rem; }
ol.rd-found li { margin: 0; overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: left; }

/* a narrow screen: the open source is a sheet at the foot */
@media (max-width: 52rem) {
  .stMainBlockContainer, [data-testid="stBottomBlockContainer"] { padding-left: 1.1rem; padding-right: 1.1rem; }
  .st-key-ask-how :is(p, span) { font-size: .8125rem; }
  h1.rd-title { font-size: 2rem; }
  h2.rd-question { font-size: 1.35rem; }
  .st-key-welcome { padding-top: 4vh; }
  .st-key-write [data-testid="stColumn"]:has(.rd-guide) { order: -1; }
  :is([class*="st-key-doc-"], [class*="st-key-dir-"]) {
    button p { flex-direction: column; }
    button :is(strong, em) { flex: none; max-width: 100%; width: 100%; } }
  .rd-pairs th { width: 7rem; }
  .rd-settings thead { position: absolute; clip-path: inset(50%); }
  .rd-settings :is(tbody, tr, th, td) { display: block; }
  .rd-settings tr { border-bottom: 1px solid var(--rd-line); padding: .4rem 0; }
  .rd-settings tbody :is(th, td) { border: none; padding: 0; }
  [class*="st-key-source-"]:not(.st-key-source-head) {
    position: fixed; inset: auto 0 0 0; z-index: 999; width: 100%; max-height: 72vh; padding: 1rem;
    border-radius: 1rem 1rem 0 0; box-shadow: 0 -8px 32px rgb(0 0 0 / .28); }
}
"""

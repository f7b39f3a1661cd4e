"""The pages before the page: sign in, sign out, and the step from a link to signing in. Plain HTML, no script.

They look like the page (`theme.py`, `style.py`) and fetch nothing, as nothing is served to who has not signed in.
"""

import html
from string import Template
from urllib.parse import quote

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
COOKIE = "rag_dolly_"
"""How the name of the cookie begins; the port follows, as cookies do not tell ports apart."""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
$head<title>$title - rag-dolly</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'%3E\
%3Ctext y='.9em' font-size='90'%3E🐑%3C/text%3E%3C/svg%3E">
<style>
:root { color-scheme: light dark; --accent: light-dark(#1f6f5c, #63c2a6); --soft: light-dark(#5a6066, #a9aeb0);
  --line: light-dark(#dedad0, #363c40); --edge: light-dark(#827e74, #7d868b); --fault: light-dark(#a33c00, #f0a070); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column;
  font: 1rem/1.5 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif;
  color: light-dark(#22262a, #e6e4df); background: light-dark(#fbfaf7, #16191b); }
header { padding: .9rem 1.5rem; font: 600 1.15rem/1.4 "Source Serif 4", Georgia, serif; color: var(--accent); }
main { width: 100%; max-width: 26rem; margin: auto; padding: 1rem 1.5rem 14vh; }
h1 { font: 600 2.25rem/1.15 "Source Serif 4", Georgia, serif; letter-spacing: -.015em; margin: 0; }
p { margin: .5rem 0 0; color: var(--soft); }
form { margin-top: 1.5rem; padding: 1.5rem; border: 1px solid var(--line); border-radius: .9rem;
  background: light-dark(#ffffff, #1c2022); }
label { display: block; font-weight: 600; margin-bottom: .4rem; }
input, button { width: 100%; font: inherit; min-height: 2.75rem; border-radius: .6rem; }
input { padding: .5rem .8rem; color: inherit; background: light-dark(#ffffff, #16191b); border: 1px solid var(--edge); }
input[aria-invalid] { border-color: var(--fault); }
input ~ button { margin-top: 1rem; }
button { border: 0; font-weight: 600; cursor: pointer; color: light-dark(#ffffff, #16191b);
  background: var(--accent); }
button:hover { background: light-dark(#185a4a, #7fd3b9); }
:is(input, button, a):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.fault { margin: 0 0 1rem; font-weight: 600; color: var(--fault); }
.note { font-size: .875rem; margin-top: 1.25rem; }
a { color: var(--accent); }
</style>
</head>
<body>
<header>rag-dolly</header>
<main>
$body
</main>
</body>
</html>
""")

_SIGN_IN = Template("""<h1 class="rd-title">Sign in</h1>
<p>This page is private: it opens with a token.</p>
<form method="post" action="$action">
$fault<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" autocapitalize="none" \
spellcheck="false" required autofocus$marks>
<input type="hidden" name="next" value="$next">
<button>Sign in</button>
</form>
<p class="note">No token? Ask the person who runs this page.</p>""")

_SIGN_OUT = Template("""<h1>Sign out</h1>
<p>The token is then asked for again.</p>
<form method="post" action="$action">
<button>Sign out</button>
</form>
<p class="note"><a href="/">Back to the page</a></p>""")


def sign_in_page(onward: str, fault: str = "") -> str:
    """Return the form that takes the token and leads to `onward`; `fault` says in a line why it was not taken."""
    said = f'<p class="fault" id="fault" role="alert">{html.escape(fault)}</p>\n' if fault else ""
    marks = ' aria-invalid="true" aria-describedby="fault"' if fault else ""
    body = _SIGN_IN.substitute(action=SIGN_IN, fault=said, marks=marks, next=html.escape(onward))
    return _PAGE.substitute(head="", title="Sign in", body=body)


def sign_out_page() -> str:
    """Return the form that signs out."""
    return _PAGE.substitute(head="", title="Sign out", body=_SIGN_OUT.substitute(action=SIGN_OUT))


def onward_page(onward: str) -> str:
    """Return a page that goes on to the form at once.

    The browser comes to the form from here, so it shows the cookie even if it came here from another site, and who has
    signed in is led on to `onward`.
    """
    to = html.escape(f"{SIGN_IN}?next={quote(onward, safe='')}")
    head = f'<meta http-equiv="refresh" content="0; url={to}">\n'
    return _PAGE.substitute(head=head, title="Sign in", body=f'<p><a href="{to}">Sign in</a></p>')

"""How the server behaves and how the page looks: every Streamlit option that differs from its default.

An installed package has no `.streamlit/config.toml`, so `serve.py` passes these on; the file in the repository
says the same for a plain `streamlit run`, and a test compares the two. Fonts are those that Streamlit brings.
"""

from typing import Any

from rag_dolly.app.library.uploads import MAX_BYTES

Options = dict[str, Any]

SERVER: Options = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # with a model loaded a collection holds all threads for 0.4 s, after every run
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["localhost", "127.0.0.1"],
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": MAX_BYTES // 1024 // 1024,
    "server.showEmailPrompt": False,
}

LOOK: Options = {
    "theme.baseFontSize": 16,
    "theme.baseRadius": "0.6rem",
    "theme.font": "sans-serif",
    "theme.headingFont": "serif",
    "theme.codeFont": "monospace",
    "theme.showWidgetBorder": True,
    "theme.light.primaryColor": "#1f6f5c",
    "theme.light.backgroundColor": "#fbfaf7",
    "theme.light.secondaryBackgroundColor": "#f1efe9",
    "theme.light.textColor": "#22262a",
    "theme.light.linkColor": "#1f6f5c",
    "theme.light.borderColor": "#dedad0",
    "theme.dark.primaryColor": "#63c2a6",
    "theme.dark.backgroundColor": "#16191b",
    "theme.dark.secondaryBackgroundColor": "#202528",
    "theme.dark.textColor": "#e6e4df",
    "theme.dark.linkColor": "#63c2a6",
    "theme.dark.borderColor": "#363c40",
}

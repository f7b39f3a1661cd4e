"""What axe finds wrong on a page by WCAG 2.2 A and AA. Nothing is passed over, not what Streamlit itself draws."""

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def findings(page):
    """Return (rule, selector, markup) of each violation."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=RULES).response["violations"]
    return [
        (rule["id"], " ".join(map(str, node["target"])), node["html"][:200]) for rule in found for node in rule["nodes"]
    ]

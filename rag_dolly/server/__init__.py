"""The HTTP API: questions in OpenAI's shapes, answers with citations. It imports no Streamlit."""

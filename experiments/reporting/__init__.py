"""The report: its content, gathered from the tables in results/, and two renderings of it, Markdown and HTML."""

"""A Lode project in Python: ask in SQL, read events, write tables.

    import lode

    project = lode.connect("https://lode.example.org", token, project="accounts-payable")
    project.sql("SELECT * FROM case_variants").pandas()

Everything goes through the service: its limits, its minimum group size and its audit log hold here as on its pages.
The same script runs as a job of the service, where ``lode.connect()`` needs no address and no token.
"""

from lode._answer import Answer
from lode._errors import LodeError
from lode._project import Column, Events, Project, Table, connect

__all__ = ["Answer", "Column", "Events", "LodeError", "Project", "Table", "connect"]
__version__ = "0.1.0"

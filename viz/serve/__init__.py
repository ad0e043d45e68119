"""Structures in the browser: a page on this machine with controls, a picture that Python draws, and the numbers beside it.

Parts: `choices` (what the controls say), `subject` (a structure with what was solved on it), `faces` (what is to be seen),
`stage` (the picture), `application` and `controls` (the page), `running` (its server), `keeping` (files to keep), `address`
(where it is served, and for whom).
"""

from viz.serve.address import free_port
from viz.serve.choices import Choices
from viz.serve.running import check_extra, run
from viz.serve.subject import Subject

__all__ = ["Choices", "Subject", "check_extra", "free_port", "serve_structures"]


def serve_structures(subjects: list[Subject], *, host: str = "127.0.0.1", port: int = 8050, open_browser: bool = True) -> None:
    """Serve a page that shows structures, until it is interrupted.

    Parameters
    ----------
    subjects : list of Subject
        The structures, each by a name of its own.
    host : str
        The address to listen on; anyone who can reach it can look and solve.
    port : int
        The port to listen on, see `free_port`.
    open_browser : bool
        Whether to open the page in the user's browser.

    Raises
    ------
    InputError
        If there is no structure, or two have the same name.
    MissingExtraError
        If trame is not installed.
    """
    run(subjects, host=host, port=port, open_browser=open_browser)

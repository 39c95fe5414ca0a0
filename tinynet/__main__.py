"""The command line: `python -m tinynet`, or `tinynet`.

tinynet COMMAND --help says more of each command, with examples.
"""

from __future__ import annotations

import inspect
import os
import sys
import warnings

from . import __version__
from .commands import (
    convert,
    doctor,
    evaluate,
    mnist,
    plot,
    predict,
    serve,
    summary,
    train,
    warmup,
)
from .commands.console import prepare, tell
from .commands.parsing import FAILED, INTERRUPTED, Command, Parser, UsageError

COMMANDS: dict[str, Command] = {
    "predict": predict,
    "train": train,
    "evaluate": evaluate,
    "plot": plot,
    "serve": serve,
    "summary": summary,
    "convert": convert,
    "data": mnist,
    "doctor": doctor,
    "warmup": warmup,
}
EXAMPLES = """
tinynet predict my_seven.jpg                      read the digit in a picture
tinynet train pets/ --save pets.safetensors       train on pictures of yours, in a folder for each class
tinynet predict photos/ --model pets.safetensors  tell others apart with it
"""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: those after the program's name; default: the process's.

    Returns:
        The exit status: 0; 1 if something failed; 130 after Ctrl-C.

    Raises:
        SystemExit: the command line is wrong (2), or asks for help (0).
    """
    prepare()
    options, rest = parser().parse_known_args(arguments)
    command: Parser = options.parser
    if rest:
        command.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        with warnings.catch_warnings():
            # For people at a shell, in whose programs no line is to blame.
            warnings.showwarning = lambda message, *_: tell(f"tinynet {options.name}: {message}")
            status: int = COMMANDS[options.name].run(options)
            sys.stdout.flush()
            return status
    except UsageError as error:
        command.error(str(error))
    except BrokenPipeError:  # who reads the output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OSError, ValueError, TypeError, ImportError) as error:  # no file, a damaged model, no MNIST
        tell(f"tinynet {options.name}: {error}")
        return FAILED
    except MemoryError as error:
        tell(f"tinynet {options.name}: {str(error) or 'there is not enough memory'}")
        return FAILED
    except KeyboardInterrupt:
        tell(f"tinynet {options.name}: interrupted")
        return INTERRUPTED


def parser() -> Parser:
    """Return the parser of the command line."""
    top = Parser(prog="tinynet", description=__doc__, examples=EXAMPLES)
    top.add_argument("--version", action="version", version=f"tinynet {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="name", parser_class=Parser)
    for name, command in COMMANDS.items():
        said = inspect.cleandoc(str(command.run.__doc__))
        parser = commands.add_parser(
            name, help=said.split("\n", 1)[0].rstrip("."), description=said, examples=command.EXAMPLES
        )
        command.add_arguments(parser)
        parser.set_defaults(parser=parser)
    return top


if __name__ == "__main__":
    sys.exit(main())

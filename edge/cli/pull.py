"""`edge pull NAME`: the verdict first, then the download."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import debug_option, json_option, memory_option, option
from edge.cli.terminal import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.formats.gguf import GGUFFile
    from edge.hub import Beginning, Http, RemoteModel
    from edge.library import HubName, Library, UrlName


@click.command("pull")
@click.argument("name")
@memory_option
@option("--context", type=int, default=None, help="Tokens that the verdict counts with. [default: at most 4096]")
@click.option(
    "--sha256", default=None, metavar="HEX", help="The sum that the file must have; for a URL that tells none."
)
@click.option("--force", is_flag=True, help="Download also what does not fit here, or what edge cannot run.")
@json_option
@debug_option
def command(name: str, memory: str | None, context: int | None, sha256: str | None, force: bool, as_json: bool) -> int:
    """Download a model, after saying whether it fits and how fast it should be.

    NAME is OWNER/REPO[:QUANT] of a hub, the same behind hf.co/, a page or a file of the hub, or the URL of a GGUF file.
    QUANT is a quantisation (Q4_K_M) or the name of a file; without it Q4_K_M is taken, or what comes nearest.

    The header is read first, and what does not fit is refused before the download. What was begun is kept: the same
    command goes on, also after Ctrl-C. What came is compared with the sha256 that the hub announces.

    \b
    EDGE_HUB, HF_ENDPOINT      another hub than https://huggingface.co
    EDGE_HUB_TOKEN, HF_TOKEN   a token for it, which no other host gets
    EDGE_MODELS_DIR            where models go, instead of the user's data folder
    HF_HUB_OFFLINE=1           asks nothing of the network
    """
    from edge.errors import RequestError
    from edge.hub import Http, choose, list_models
    from edge.library import Library, parse_name

    http = Http.of()
    source = parse_name(name, http.hub)
    if source is None:
        raise RequestError(f"{name!r} is neither OWNER/REPO[:QUANT] nor a URL")
    models = list_models(http, source)
    model = choose(models, source)
    if sha256 is not None:
        model = _with_sum(model, sha256)
    say = _silent if as_json else _say
    say(_chosen(model, models))
    try:
        report = _pull(http, Library.of(os.environ), source, model, _Wishes(memory, context, force), say)
    except OSError as error:
        from edge.errors import DownloadError

        raise DownloadError(f"{error.filename or model.name}: {error.strerror or error}") from None
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    return 0


class _Wishes:
    def __init__(self, memory: str | None, context: int | None, force: bool) -> None:
        self.memory, self.context, self.force = memory, context, force


def _pull(
    http: Http, library: Library, source: HubName | UrlName, model: RemoteModel, wishes: _Wishes, say: Any
) -> dict[str, Any]:
    from edge.cli.progress import ProgressBar
    from edge.hub import open_remote
    from edge.library.record import RECORD, Record

    targets = [library.target(source, file.path) for file in model.files]
    for target, file in zip(targets, model.files, strict=True):  # of a URL that tells no sum only the header can say
        record = Record.read(target.with_name(target.name + RECORD)) if target.is_file() else None
        if record is None or file.sha256 is None or record.sha256 != file.sha256:
            break
    else:
        say(f"is here already: {targets[0]}")
        return _report(model, targets, None, [file.sha256 for file in model.files], downloaded=0)

    with ProgressBar("header", " MiB", 2**20) as bar:
        with open_remote(http, model, lambda done: bar(done, done)) as (opened, beginnings):
            bar.wipe()
            plan = _verdict(opened, model, wishes, say)
    return _download(http, model, targets, beginnings, plan, say)


def _verdict(file: GGUFFile, model: RemoteModel, wishes: _Wishes, say: Any) -> dict[str, Any] | None:
    """The plan's report; None for a model that is wanted though edge cannot run it."""
    from edge.cli.plan_lines import verdict_lines
    from edge.cli.planning import PlanOptions, plan_report
    from edge.errors import DoesNotFit, UnsupportedModel

    try:
        report = plan_report(file, PlanOptions(memory=wishes.memory, context=wishes.context), model.name)
    except UnsupportedModel as error:
        if not wishes.force:
            raise
        say(f"edge cannot run it: {error}")
        return None
    lines = verdict_lines(report)
    if report["fits"] is False and not wishes.force:
        raise DoesNotFit(f"{model.name}: {'; '.join(lines)}; --force downloads it all the same")
    say("\n".join(lines))
    return report


def _download(
    http: Http,
    model: RemoteModel,
    targets: Sequence[Path],
    beginnings: Sequence[Beginning],
    plan: dict[str, Any] | None,
    say: Any,
) -> dict[str, Any]:
    from edge.cli.progress import ProgressBar
    from edge.cli.report import size
    from edge.errors import DoesNotFit
    from edge.formats.gguf import open_gguf
    from edge.hub import Download

    downloads = [
        Download(http, beginning, target, model=model.name, revision=model.revision)
        for target, beginning in zip(targets, beginnings, strict=True)
        if not _is_here(target, beginning)
    ]
    missing = sum(download.missing_bytes for download in downloads)
    free = shutil.disk_usage(_existing(targets[0])).free
    if missing > free:
        raise DoesNotFit(
            f"{model.name}: {missing} bytes have still to come, {_existing(targets[0])} has {free} free; "
            "EDGE_MODELS_DIR names another folder"
        )
    if missing:
        say(f"{size(missing)} to download, {size(free)} free in {targets[0].parent}")
    sums: list[str | None] = []
    try:
        for number, download in enumerate(downloads, 1):
            of = f" {number}/{len(downloads)}" if len(downloads) > 1 else ""
            with ProgressBar("", " MiB", 2**20, rate=True) as bar:

                def show(what: str, done: int, total: int, bar: ProgressBar = bar, of: str = of) -> None:
                    bar.label = f"{what}{of}"
                    bar(done, total)

                sums.append(download.run(show))
    except KeyboardInterrupt:
        click.echo("stopped; what came is kept, the same command goes on", err=True)
        raise
    with open_gguf(targets[0]):  # all of the header against the files as they are now
        pass
    if not downloads:
        say(f"is here already: {targets[0]}")
    else:
        checked = "sha256 is as announced" if all(sums) else "no sha256 was announced: not checked"
        say(f"{targets[0]} ({checked})\nedge run {model.name}")
    return _report(model, targets, plan, [beginning.sha256 for beginning in beginnings], downloaded=missing)


def _is_here(target: Path, beginning: Beginning) -> bool:
    """Whether the file is there as it is announced: what its record says, and its size."""
    from edge.library.record import RECORD, Record

    record = Record.read(target.with_name(target.name + RECORD))
    if record is None or not target.is_file() or target.stat().st_size != beginning.size:
        return False
    if beginning.sha256 is not None:
        return record.sha256 == beginning.sha256
    return beginning.etag is not None and (record.url, record.etag) == (beginning.file.url, beginning.etag)


def _with_sum(model: RemoteModel, sha256: str) -> RemoteModel:
    import dataclasses
    import re

    from edge.errors import RequestError

    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise RequestError(f"--sha256 is {sha256[:80]!r}; it must be 64 hexadecimal digits")
    if len(model.files) != 1:
        raise RequestError(f"--sha256 is of one file, and {model.name} has {len(model.files)}")
    announced = model.files[0].sha256
    if announced is not None and announced != sha256.lower():
        raise RequestError(f"--sha256 is not what the hub announces for {model.name}, {announced}")
    return dataclasses.replace(model, files=(dataclasses.replace(model.files[0], sha256=sha256.lower()),))


def _chosen(model: RemoteModel, models: Sequence[RemoteModel]) -> str:
    from edge.cli.report import size

    def of(one: RemoteModel) -> str:
        label = one.quant or one.files[0].path.name
        return label if one.size is None else f"{label} {size(one.size)}"

    line = model.name + ("" if model.size is None else f" · {size(model.size)}")
    if len(model.files) > 1:
        line += f" in {len(model.files)} files"
    others = [of(one) for one in models if one is not model]
    return line + (f" · also there: {', '.join(others[:12])}{' ...' if len(others) > 12 else ''}" if others else "")


def _existing(path: Path) -> Path:
    """The nearest folder that is there already."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _report(
    model: RemoteModel,
    targets: Sequence[Path],
    plan: dict[str, Any] | None,
    sums: Sequence[str | None],
    downloaded: int,
) -> dict[str, Any]:
    return {
        "name": model.name,
        "path": str(targets[0]),
        "files": [str(target) for target in targets],
        "bytes": sum(target.stat().st_size for target in targets),
        "downloaded_bytes": downloaded,
        "sha256": list(sums),
        "revision": model.revision,
        "plan": plan,
    }


def _say(text: str) -> None:
    click.echo(harmless(text))


def _silent(text: str) -> None:
    pass

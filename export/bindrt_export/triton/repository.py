"""The repository: its models, written beside their place and moved there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bindrt.bundle import Bundle, open_bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.bundle_checks import chosen_modalities
from bindrt.errors import ExportError, OptionError, cannot_write
from bindrt.modalities import MODALITIES
from bindrt_export.triton import configs
from bindrt_export.triton.parts import bundle_of, link
from bindrt_export.triton.pbtxt import pbtxt

#: ``model``: one Python model a modality; ``ensemble``: preparing, encoder and pooling are models.
FORMS = ("model", "ensemble")
#: Who runs the encoders of an ensemble.
ENCODER_BACKENDS = ("onnxruntime", "tensorrt", "python")
#: What every config.pbtxt of ours begins with.
MARK = "# Written by bind-export.\n"
CONFIG = "config.pbtxt"


@dataclass(frozen=True)
class RepositoryRequest:
    """What to write.

    Attributes:
        folder: the repository. Models of other origin in it stay.
        form: one of :data:`FORMS`.
        encoders: one of :data:`ENCODER_BACKENDS`, for an ensemble; None: plans where the bundle has some,
            else ONNX Runtime.
        instances: processes that prepare the items of a modality, for an ensemble.
        threads: threads of each of them; None: its part of the cores, at least one.
        modalities: only these; None: all that the bundle has.
    """

    folder: Path
    form: str = "model"
    encoders: str | None = None
    instances: int = 1
    threads: int | None = None
    modalities: Sequence[str] | None = None


def write_repository(path: Path, request: RepositoryRequest) -> list[str]:
    """Write the models of a bundle's modalities into a repository; their names.

    Raises:
        BundleError: ``path`` is no bundle.
        ExportError: a model of the same name is there and not ours.
        OptionError: the bundle has no files for the backend.
    """
    bundle = open_bundle(path)
    writer = {"model": _models, "ensemble": _ensembles}[request.form]
    staging = request.folder.with_name(f".{request.folder.name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        writer(bundle, request, staging)
        names = sorted(os.listdir(staging))
        _refuse_strangers(request.folder, names)
        request.folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.rmtree(request.folder / name, ignore_errors=True)
            os.rename(staging / name, request.folder / name)
    except OSError as error:
        raise cannot_write(request.folder, error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return names


def _models(bundle: Bundle, request: RepositoryRequest, folder: Path) -> None:
    for modality in chosen_modalities(bundle, request.modalities):
        version = _model(folder, configs.embedding_model(modality, bundle.manifest.embed_dim))
        _python(version, "embedding")
        bundle_of(bundle, modality, version / "bundle")


def _ensembles(bundle: Bundle, request: RepositoryRequest, folder: Path) -> None:
    manifest = bundle.manifest
    served: set[str] = set()
    for modality in chosen_modalities(bundle, request.modalities):
        files = None if request.encoders == "python" else _files_for(bundle, modality, request.encoders)
        prepare = configs.preparing_model(modality, manifest, files, request.instances, request.threads)
        _python(_model(folder, prepare), "preparing")
        _model(folder, configs.ensemble(modality, manifest.embed_dim))
        if (encoder := MODALITIES[modality].encoder) not in served:
            served.add(encoder)
            _encoder(bundle, modality, files, folder)
    _python(_model(folder, configs.pooling_model(manifest.embed_dim)), "pooling")


def _encoder(bundle: Bundle, modality: str, files: EngineFiles | None, folder: Path) -> None:
    version = _model(folder, configs.encoder_model(modality, bundle.manifest, files))
    if files is None:
        _python(version, "encoding")
        bundle_of(bundle, modality, version / "bundle")
        return
    main, *others = (bundle.file(entry) for entry in files.files)
    link(main, version / ("model.onnx" if files.engine == "onnxruntime" else "model.plan"))
    for other in others:  # the graph names its weights by their file
        link(other, version / other.name)


def _files_for(bundle: Bundle, modality: str, backend: str | None) -> EngineFiles:
    """The files of an encoder in the default precision, for a backend of Triton."""
    manifest, encoder = bundle.manifest, MODALITIES[modality].encoder
    fitting = [
        e for e in manifest.engines if e.encoder == encoder and e.precision == manifest.default_precision
    ]
    for engine in (backend,) if backend is not None else ("tensorrt", "onnxruntime"):
        for files in fitting:
            if files.engine == engine:
                return files
    raise OptionError(
        f"--triton-encoders {backend or ENCODER_BACKENDS[0]}",
        f"the bundle has no {manifest.default_precision} files of {encoder} for it",
        f"export with --engine {backend}, or use --triton-encoders python"
        if backend == "tensorrt"
        else "use python",
    )


def _model(folder: Path, config: configs.Config) -> Path:
    """The folder of a model's only version, with its configuration above."""
    version: Path = folder / str(config["name"]) / "1"
    version.mkdir(parents=True)
    (version.parent / CONFIG).write_text(MARK + pbtxt(config), "utf-8")
    return version


def _python(version: Path, module: str) -> None:
    code = f"from bindrt.triton.{module} import TritonPythonModel  # the name that the server looks for\n"
    (version / "model.py").write_text(code, "utf-8")


def _refuse_strangers(folder: Path, names: list[str]) -> None:
    """Never replace a model that no export has written."""
    for name in names:
        config = folder / name / CONFIG
        is_ours = config.is_file() and config.read_text("utf-8").startswith(MARK)
        if (folder / name).exists() and not is_ours:
            raise ExportError(
                str(folder / name),
                "a model of this name is there, and bind-export has not written it",
                "choose another folder for --triton, or remove it",
            )

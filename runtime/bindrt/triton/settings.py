"""What ``config.pbtxt`` says to a Python model, below ``parameters``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bindrt.errors import OptionError
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.model import Model
from bindrt.pipeline.options import BULK


@dataclass(frozen=True)
class Settings:
    """The parameters of a model of the repository.

    Attributes:
        name: the model's name in the repository, for errors.
        values: the parameters, all of them texts.
        folder: the folder of the model's version.
        config: the whole configuration, as Triton gives it.
        gpu: the number of the GPU that the instance shall use; None: it chooses none.
    """

    name: str
    values: Mapping[str, str]
    folder: Path
    config: Mapping[str, Any]
    gpu: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Settings:
        """From what Triton passes to ``initialize``."""
        config = json.loads(args["model_config"])
        values = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        folder = Path(args["model_repository"]) / args["model_version"]
        gpu = int(args["model_instance_device_id"]) if args["model_instance_kind"] == "GPU" else None
        return cls(args["model_name"], values, folder, config, gpu)

    @property
    def modality(self) -> str:
        """The modality of the model's items.

        Raises:
            OptionError: there is no such modality.
        """
        named = self.values.get("modality", "")
        if named not in MODALITIES:
            raise OptionError(
                f"{self.name}: modality {named!r}", "there is none", f"one of {', '.join(MODALITIES)}"
            )
        return named

    @property
    def instances(self) -> int:
        """Processes of the model, as ``instance_group`` has them."""
        return sum(int(group["count"]) for group in self.config.get("instance_group", ())) or 1

    def whole(self, key: str, default: int) -> int:
        """A parameter that is a whole number of at least 1; ``default`` where it is not given.

        Raises:
            OptionError: it is something else.
        """
        text = self.values.get(key, "")
        if not text:
            return default
        if not text.isdecimal() or int(text) < 1:
            raise OptionError(
                f"{self.name}: {key} {text!r}", "not a whole number of at least 1", "change config.pbtxt"
            )
        return int(text)

    def load(self) -> Model:
        """The bundle of this model with its one modality, warm.

        Its threads do not look for work: the other models' processes need the cores.

        Raises:
            Error: as :func:`bindrt.load`.
        """
        device = f"cuda:{self.gpu}" if self.gpu is not None else self.values.get("device", "auto")
        model = load(
            self.folder / self.values.get("bundle", "bundle"),
            engine=self.values.get("engine", "auto"),  # type: ignore[arg-type] # load checks it
            precision=self.values.get("precision"),  # type: ignore[arg-type]
            device=device,
            modalities=[self.modality],  # type: ignore[list-item]
            threads=self.whole("threads", 1) if "threads" in self.values else None,
            pipeline=BULK,
        )
        model.warm_up()
        return model

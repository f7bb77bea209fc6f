"""What the messages of each type hold."""

from bindrt.recordings.messages.choices import Choice, chosen_topics
from bindrt.recordings.messages.kinds import INFOS, MODALITIES_OF, kind_of
from bindrt.recordings.messages.readers import Readers

__all__ = ["INFOS", "MODALITIES_OF", "Choice", "Readers", "chosen_topics", "kind_of"]

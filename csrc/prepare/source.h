// An item's file, read where it is wanted.
#pragma once

#include <optional>

#include "csrc/audio/input.h"
#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

// The bytes of an item that is a file; nothing for an array, for more given bytes than the limits allow, and
// for what is no regular file or cannot be read.
std::optional<audio::Input> input_of(const Item& item, const Limits& limits);

}  // namespace bindrt::prepare

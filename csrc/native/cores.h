// How many cores this process may use.
#pragma once

namespace bindrt::native {

// Cores of the affinity, within the container's quota, a part of one counted as one; at least 1. Agrees with
// `usable_cores` of runtime/bindrt/hardware.py.
int usable_cores() noexcept;

}  // namespace bindrt::native

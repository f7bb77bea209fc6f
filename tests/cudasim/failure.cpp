// Reports what a simulated kernel did wrong.
#include "tests/cudasim/failure.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace bindrt::cudasim {
namespace {

// From the repository's root on, if the path has that.
std::string short_path(std::string_view path) {
  for (const std::string_view root : {"/kernels/", "/tests/", "/faults/"}) {
    if (const auto at = path.rfind(root); at != std::string_view::npos) {
      return std::string(path.substr(at + 1));
    }
  }
  return std::string(path);
}

std::string output_of(const std::string& command) {
  std::string output;
  if (std::FILE* const pipe = ::popen(command.c_str(), "r")) {
    std::array<char, 512> line;
    while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
      output += line.data();
    }
    ::pclose(pipe);
  }
  while (!output.empty() && output.back() == '\n') {
    output.pop_back();
  }
  return output;
}

// "device.h:40 in image_cuda.cu:77": the lines of addr2line, each inlined in the next.
std::string inlined_places(const std::string& lines) {
  std::string places;
  std::size_t begin = 0;
  while (begin < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string line = lines.substr(begin, end - begin);
    places += (places.empty() ? "" : " in ") + short_path(line.substr(0, line.find(" (")));
    begin = end + 1;
  }
  return places;
}

}  // namespace

std::string text(const std::source_location& where) {
  return short_path(where.file_name()) + ":" + std::to_string(where.line());
}

std::string text(const void* code) {
  // A return address stands after the call; the byte before belongs to it.
  const auto address = reinterpret_cast<std::uintptr_t>(code) - 1;
  Dl_info info{};
  link_map* map = nullptr;
  if (dladdr1(reinterpret_cast<void*>(address), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) ==
      0) {
    return "unknown code";
  }
  std::array<char, 32> offset;
  std::snprintf(offset.data(), offset.size(), "0x%zx", static_cast<std::size_t>(address - map->l_addr));
  const std::string module = map->l_name[0] == '\0' ? "/proc/self/exe" : map->l_name;
  // The tool's /proc/self is not ours.
  std::array<char, 4096> real{};
  const std::string file = realpath(module.c_str(), real.data()) != nullptr ? real.data() : module;
  const std::string found = output_of("addr2line -i -e '" + file + "' " + offset.data() + " 2>/dev/null");
  if (found.empty() || found.front() == '?') {
    return file + "+" + offset.data();
  }
  return inlined_places(found);
}

}  // namespace bindrt::cudasim

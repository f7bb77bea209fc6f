// Looks at each chunk before the pixels as Pillow does, and gives up where that may end in an error.
#include "csrc/png/metadata.h"

#include <algorithm>
#include <array>
#include <optional>

#include "csrc/png/chunk.h"
#include "kernels/base/scratch.h"

namespace bindrt::png {
namespace {

constexpr std::size_t kMostUnpacked =
    (1 << 20) - 1;                            // of a text or a colour profile; Pillow takes a byte more
constexpr std::size_t kSmall = 1000;          // so many packed bytes are never more, at 1032 to 1
constexpr std::size_t kMostTexts = 32 << 20;  // bytes of all texts, half of what Pillow takes
constexpr std::size_t kMostRatio = 1032;
// Names of texts that Pillow takes for something else.
constexpr std::array<std::string_view, 5> kTaken = {"exif", "xmp", "bbox", "transparency", "interlace"};
constexpr std::string_view kXmp = "XML:com.adobe.xmp";

struct Least {
  const char* kind;
  std::size_t bytes;
};
constexpr Least kLeast[] = {{"gAMA", 4}, {"cHRM", 32}, {"sRGB", 1}, {"pHYs", 9}};

std::string_view content_of(const Chunk& chunk) noexcept {
  return {reinterpret_cast<const char*>(chunk.content), chunk.length};
}

// Takes what stands before the next zero byte; nothing if there is none.
std::optional<std::string_view> until_zero(std::string_view& rest) noexcept {
  const std::size_t at = rest.find('\0');
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view before = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return before;
}

bool few_chunks(const std::uint8_t* at, const std::uint8_t* end) noexcept {
  Chunk chunk{};
  for (std::size_t count = 0; chunk_at(at, end, chunk) && !chunk.is("IEND"); at = chunk.end()) {
    if (++count >= kMostChunks) {
      return false;
    }
  }
  return true;
}

class Reader {
 public:
  Reader(const Library& library, const File& file, Metadata& metadata) noexcept
      : library_(library), file_(file), metadata_(metadata) {}

  // Whether all is well with a chunk.
  bool take(const Chunk& chunk) noexcept {
    if (!has_letters(chunk) || !is_whole(chunk) || !is_long_enough(chunk)) {
      return false;
    }
    if (chunk.is("eXIf")) {
      metadata_.exif = content_of(chunk);
      return true;
    }
    if (chunk.is("tRNS")) {
      metadata_.transparency = true;
      return true;
    }
    if (chunk.is("iCCP")) {
      return take_profile(content_of(chunk));
    }
    if (chunk.is("tEXt")) {
      return take_text(content_of(chunk), false);
    }
    if (chunk.is("zTXt")) {
      return take_text(content_of(chunk), true);
    }
    return !chunk.is("iTXt") || take_international(content_of(chunk));
  }

 private:
  static bool has_letters(const Chunk& chunk) noexcept {
    return std::all_of(chunk.kind, chunk.kind + 4, [](std::uint8_t byte) {
      return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    });
  }

  bool is_whole(const Chunk& chunk) const noexcept {
    return library_.crc32(0, chunk.kind, 4 + chunk.length) == number(chunk.content + chunk.length);
  }

  bool is_long_enough(const Chunk& chunk) const noexcept {
    if (chunk.is("tRNS")) {
      const bool grey = file_.colour == Colour::kGrey;
      return chunk.length >= (grey ? 2U : file_.colour == Colour::kRgb ? 6U : 0U);
    }
    return std::all_of(std::begin(kLeast), std::end(kLeast), [&chunk](const Least& least) {
      return !chunk.is(least.kind) || chunk.length >= least.bytes;
    });
  }

  // A name, a zero, how it is packed, and the profile.
  bool take_profile(std::string_view rest) const noexcept {
    if (!until_zero(rest).has_value() || rest.empty() || rest[0] != 0) {
      return false;
    }
    rest.remove_prefix(1);
    if (rest.size() <= kSmall) {
      return true;
    }
    static thread_local kernels::Scratch<std::uint8_t> memory;
    std::uint8_t* const room = memory.get(kMostUnpacked);
    return room != nullptr && library_.unpack_within(reinterpret_cast<const std::uint8_t*>(rest.data()),
                                                     rest.size(), room, kMostUnpacked);
  }

  bool take_text(std::string_view rest, bool packed) noexcept {
    const std::optional<std::string_view> name = until_zero(rest);
    if (!name.has_value()) {
      return !packed && is_free(rest);
    }
    if (packed && !rest.empty() && rest[0] != 0) {
      return false;
    }
    return is_free(*name) && has_room(rest, packed);
  }

  // A name, a zero, whether and how it is packed, a language and a translated name with a zero each, the
  // text. Pillow skips what is shorter.
  bool take_international(std::string_view rest) noexcept {
    const std::optional<std::string_view> name = until_zero(rest);
    if (!name.has_value() || rest.size() < 2) {
      return true;
    }
    const bool packed = rest[0] != 0;
    rest.remove_prefix(2);
    if (!until_zero(rest).has_value() || !until_zero(rest).has_value()) {
      return true;
    }
    if (*name == kXmp && !packed) {
      metadata_.xmp = rest;
      return has_room(rest, false);
    }
    return is_free(*name) && has_room(rest, packed);
  }

  static bool is_free(std::string_view name) noexcept {
    return name != kXmp && std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end();
  }

  // Whether a text, with all before it, is small enough.
  bool has_room(std::string_view text, bool packed) noexcept {
    texts_ += packed ? kMostRatio * text.size() : text.size();
    return texts_ <= kMostTexts && (!packed || text.size() <= kSmall);
  }

  const Library& library_;
  const File& file_;
  Metadata& metadata_;
  std::size_t texts_ = 0;
};

}  // namespace

bool read_metadata(const Library& library, const File& file, const std::uint8_t* bytes, std::size_t size,
                   Metadata& metadata) noexcept {
  metadata = {};
  const std::uint8_t* const end = bytes + size;
  const std::uint8_t* at = bytes + kSignatureBytes;
  if (!few_chunks(at, end)) {
    return false;
  }
  Reader reader(library, file, metadata);
  Chunk chunk{};
  for (; chunk_at(at, end, chunk) && !chunk.is("IDAT"); at = chunk.end()) {
    if (!reader.take(chunk)) {
      return false;
    }
  }
  return true;
}

}  // namespace bindrt::png

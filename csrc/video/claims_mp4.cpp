// Walks through the boxes of an MP4, and sums up what its tables claim.
#include "csrc/video/claims_mp4.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace bindrt::video {
namespace {

constexpr int kDeepest = 16;
constexpr std::string_view kFolders[] = {"moov", "trak", "mdia", "minf", "stbl", "edts", "moof",
                                         "traf", "mvex", "udta", "dinf", "wave", "tapt", "meta"};
// What is left to others: packed headers, and what is encrypted.
constexpr std::string_view kOthers[] = {"cmov", "cmvd", "hoov", "sinf", "schi", "pssh", "senc"};
constexpr std::string_view kCounted[] = {"ctts", "stco", "co64", "stss", "stps", "elst", "trun"};
constexpr std::int64_t kTogether = 1024;  // samples of sound that FFmpeg makes a packet of
constexpr std::size_t kRowsAtOnce = 4096;

template <class Range>
bool holds(const Range& known, std::string_view name) {
  return std::ranges::find(known, name) != std::ranges::end(known);
}

std::uint32_t number_at(const std::uint8_t* bytes) noexcept {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

struct Box {
  std::string_view kind;
  std::int64_t at = 0;  // of what it holds
  std::int64_t end = 0;
};

// A table of a track; its rows may be looked at later.
struct Table {
  std::int64_t at = 0;
  std::int64_t rows = 0;
};

// What the boxes of a track say; they may stand in any order.
struct Track {
  bool is_sound = false;
  bool is_other = false;  // a kind of media other than sound
  bool counts_samples = true;
  bool has_steps = false;
  std::int64_t chunks = 0;
  std::vector<Table> in_chunks;
  std::int64_t packets = 0;
  bool is_too_large = false;  // in bytes
};

class Look {
 public:
  Look(const audio::Input& input, std::int64_t most) : input_(input), most_(most) {}

  // Each function returns whether all is right so far.
  bool folder(std::int64_t start, std::int64_t end, int depth) {
    std::int64_t at = start;
    while (at + 8 <= end) {
      std::array<std::uint8_t, 16> head{};
      const std::int64_t there = input_.read(at, head.data(), std::min<std::int64_t>(16, end - at));
      if (there < 8) {
        return true;
      }
      std::uint64_t length = number_at(head.data());
      std::int64_t content = at + 8;
      if (length == 1 && there == 16) {
        length = std::uint64_t{number_at(head.data() + 8)} << 32 | number_at(head.data() + 12);
        content = at + 16;
      }
      const auto left = static_cast<std::uint64_t>(end - at);
      const std::int64_t stop = length == 0 || length > left ? end : at + static_cast<std::int64_t>(length);
      if (stop < content) {
        return true;
      }
      const std::string_view kind(reinterpret_cast<const char*>(head.data()) + 4, 4);
      if (!box({kind, content, stop}, depth)) {
        return false;
      }
      at = stop;
    }
    return true;
  }

  bool judge() {
    if (track_.is_sound && !track_.is_other && track_.has_steps && track_.counts_samples) {
      return track_.in_chunks.empty() || may_have(packets_of_chunks());
    }
    return may_have(track_.packets) && !track_.is_too_large;
  }

 private:
  bool box(const Box& of, int depth) {
    if (holds(kOthers, of.kind)) {
      return false;
    }
    const bool is_track = of.kind == "trak";
    if (is_track) {
      track_ = {};
    }
    if (!holds(kFolders, of.kind)) {
      return table(of);
    }
    const std::int64_t begin = of.at + (of.kind == "meta" ? 4 : 0);
    return depth < kDeepest && folder(begin, of.end, depth + 1) && (!is_track || judge());
  }

  bool table(const Box& of) {
    if (of.kind == "hdlr") {
      return handler(of);
    }
    if (of.kind == "stsz" || of.kind == "stz2") {
      return sizes(of);
    }
    const bool has_rows = of.kind == "stts" || of.kind == "stsc";
    if (!has_rows && !holds(kCounted, of.kind)) {
      return true;
    }
    std::array<std::uint8_t, 8> head{};
    std::int64_t count = read(of, 0, head) ? number_at(head.data() + 4) : 0;
    if (of.kind == "trun") {
      count = in_fragments_ += count;
    }
    if (of.kind == "stco" || of.kind == "co64") {
      track_.chunks = std::max(track_.chunks, count);
    }
    if (!may_have(count)) {
      return false;
    }
    if (of.kind == "stsc") {
      track_.in_chunks.push_back({of.at + 8, std::min(count, (of.end - of.at - 8) / 12)});
    } else if (of.kind == "stts") {
      std::array<std::uint8_t, 8> row{};
      const bool is_one = count == 1 && read(of, 8, row) && number_at(row.data() + 4) == 1;
      track_.counts_samples = track_.counts_samples && is_one;
      track_.has_steps = true;
    }
    return true;
  }

  bool handler(const Box& of) {
    std::array<std::uint8_t, 4> kind{};
    read(of, 8, kind);
    const std::string_view name(reinterpret_cast<const char*>(kind.data()), kind.size());
    track_.is_sound = track_.is_sound || name == "soun";
    track_.is_other = track_.is_other || name == "vide" || name == "subp" || name == "clcp";
    return true;
  }

  bool sizes(const Box& of) {
    std::array<std::uint8_t, 12> head{};
    if (!read(of, 0, head)) {
      return true;
    }
    const std::int64_t size = number_at(head.data() + 4);
    const std::int64_t count = number_at(head.data() + 8);
    const std::int64_t room = of.end - of.at - 12;
    auto bytes = static_cast<std::uint64_t>(size) * static_cast<std::uint64_t>(count);
    if (of.kind == "stz2") {
      bytes = 0;
      if (count * (size & 0xFF) / 8 > room) {
        return false;
      }
    } else if (size == 0 && count <= most_) {
      if (4 * count > room) {
        return false;
      }
      bytes = sum(of.at + 12, count);
    }
    track_.packets = std::max(track_.packets, count);
    track_.is_too_large = track_.is_too_large || bytes > static_cast<std::uint64_t>(input_.size());
    return true;
  }

  std::uint64_t sum(std::int64_t at, std::int64_t count) const {
    std::vector<std::uint8_t> rows(4 * std::min<std::size_t>(kRowsAtOnce, static_cast<std::size_t>(count)));
    std::uint64_t total = 0;
    for (std::int64_t left = 4 * count; left > 0;) {
      const std::int64_t some =
          input_.read(at, rows.data(), std::min(left, static_cast<std::int64_t>(rows.size())));
      for (std::int64_t i = 0; i + 4 <= some; i += 4) {
        total += number_at(rows.data() + i);
      }
      if (some < 4) {
        break;
      }
      at += some;
      left -= some;
    }
    return total;
  }

  // For a track whose table of sizes counts single samples: FFmpeg makes packets of its chunks.
  std::int64_t packets_of_chunks() const {
    std::int64_t total = 0;
    for (const Table& table : track_.in_chunks) {
      for (std::int64_t row = 0; row < table.rows; ++row) {
        const std::int64_t first = number_of(table, row, 0);
        const std::int64_t next = row + 1 < table.rows ? number_of(table, row + 1, 0) : track_.chunks + 1;
        const std::int64_t each = (number_of(table, row, 1) + kTogether - 1) / kTogether;
        total += std::max<std::int64_t>(next - first, 0) * each;
        if (total > most_) {
          return total;
        }
      }
    }
    return total;
  }

  std::int64_t number_of(const Table& table, std::int64_t row, std::int64_t column) const {
    std::array<std::uint8_t, 4> bytes{};
    input_.read(table.at + 12 * row + 4 * column, bytes.data(), 4);
    return number_at(bytes.data());
  }

  // Whether the box has all of these bytes, which are copied.
  template <std::size_t N>
  bool read(const Box& of, std::int64_t offset, std::array<std::uint8_t, N>& to) const {
    constexpr auto kSize = static_cast<std::int64_t>(N);
    return of.at + offset + kSize <= of.end && input_.read(of.at + offset, to.data(), kSize) == kSize;
  }

  bool may_have(std::int64_t packets) const noexcept { return packets <= most_; }

  const audio::Input& input_;
  const std::int64_t most_;
  Track track_;
  std::int64_t in_fragments_ = 0;
};

}  // namespace

bool mp4_holds(const audio::Input& input, std::int64_t most) {
  Look look(input, most);
  return look.folder(0, input.size(), 0) && look.judge();
}

}  // namespace bindrt::video

// What looks at a video file's bytes before FFmpeg does, and which packets are decoded.
#include <algorithm>
#include <string>
#include <vector>

#include "csrc/video/claims.h"
#include "csrc/video/packets.h"
#include "tests/cpp/stress.h"
#include "tests/csrc/video/made_mp4.h"

namespace bindrt::stress {

namespace {

using namespace bindrt::testing;
using video::Packets;

std::string text(Bytes& bytes, std::int64_t most) {
  std::string made;
  for (std::int64_t left = bytes.small(0, most); left > 0; --left) {
    made.push_back(static_cast<char>(bytes.bits(8)));
  }
  return made;
}

// A number as tables have it: small, or near a bound.
std::uint64_t count(Bytes& bytes) {
  const std::uint64_t bounds[] = {0, 1U << 16, 1U << 31, 0xFFFFFFFFU};
  return (bytes.chance(2) ? bytes.bits(8) : bytes.one_of(bounds) + bytes.bits(8) - 128) & 0xFFFFFFFFU;
}

std::string some_boxes(Bytes& bytes, int depth) {
  const char* const folders[] = {"moov", "trak", "mdia", "minf", "stbl", "moof", "traf", "meta", "udta"};
  const char* const tables[] = {"stts", "stsc", "ctts", "stco", "trun", "stsz", "stz2", "free"};
  const char* const handlers[] = {"vide", "soun", "subp", "text"};
  std::string made;
  for (int left = bytes.number(0, 4); left > 0; --left) {
    const int kind = bytes.number(0, 5);
    if (kind <= 1 && depth < 8) {
      made += box(bytes.one_of(folders), some_boxes(bytes, depth + 1));
    } else if (kind == 2) {
      made += handler(bytes.one_of(handlers));
    } else if (kind == 3) {
      made += sizes(bytes.chance(2) ? 0 : count(bytes), count(bytes), {count(bytes), count(bytes)});
    } else {
      made += table(bytes.one_of(tables), count(bytes), {count(bytes), count(bytes), count(bytes)});
    }
    if (bytes.chance(8)) {
      made += big(bytes.chance(2) ? 1 : count(bytes), 4) + bytes.one_of(folders) + text(bytes, 12);
    }
  }
  return made;
}

std::string some_blocks(Bytes& bytes) {
  const std::uint64_t ids[] = {0xA0, 0xA1, 0xA3, 0xE7, 0xEC};
  std::string made;
  for (int left = bytes.number(0, 8); left > 0; --left) {
    made += bytes.chance(2) ? block(bytes.number(1, 256)) : element(bytes.one_of(ids), 1, text(bytes, 30));
  }
  return matroska(made);
}

void claims(Bytes& bytes) {
  std::string file = bytes.chance(2) ? mp4(some_boxes(bytes, 0), 40) : some_blocks(bytes);
  for (std::int64_t left = bytes.chance(2) ? 0 : bytes.small(0, 5); left > 0; --left) {
    file[static_cast<std::size_t>(bytes.range(0, static_cast<std::int64_t>(file.size()) - 1))] =
        static_cast<char>(bytes.bits(8));
  }
  if (bytes.chance(4)) {
    file.resize(static_cast<std::size_t>(bytes.range(0, static_cast<std::int64_t>(file.size()))));
  }
  Exact<std::byte> exact(static_cast<std::int64_t>(file.size()));
  std::ranges::copy(std::as_bytes(std::span(file)), exact.begin());
  const audio::Input input(std::span<const std::byte>(exact.data(), file.size()));
  static_cast<void>(video::kind_of(input));
  static_cast<void>(video::holds_its_claims(input, video::Kind::kMp4, 50));
  const bool few = video::holds_its_claims(input, video::Kind::kMatroska, 50);
  CHECK(!few ||
        video::holds_its_claims(input, video::Kind::kMatroska, 100));  // who may have few may have more
}

void packets(Bytes& bytes) {
  Packets made;
  std::vector<std::int64_t> times;
  for (std::int64_t left = bytes.small(0, 60); left > 0; --left) {
    const std::int64_t at = static_cast<std::int64_t>(times.size()) * 10;
    const std::int64_t odd[] = {INT64_MIN + 1, INT64_MAX, 0};
    times.push_back(bytes.chance(50) ? bytes.one_of(odd) : at + 10 * bytes.range(-3, 3) + bytes.range(0, 9));
    made.add(times.back(), times.size() == 1 || bytes.chance(6), static_cast<std::int32_t>(times.size()));
  }
  if (!made.finish()) {
    return;
  }
  std::ranges::sort(times);
  std::vector<std::int64_t> frames;
  for (std::int64_t frame = 0; frame < made.count(); ++frame) {
    CHECK(made.time(made.of_frame(frame)) == times[static_cast<std::size_t>(frame)]);
    if (bytes.chance(5)) {
      frames.push_back(frame);
    }
  }
  const Packets::Plan plan = made.plan(frames);
  CHECK(plan.frames.size() == frames.size() && plan.packets.size() == frames.size());
  std::int64_t end = 0;
  for (const video::Run& run : plan.runs) {
    CHECK(run.begin >= end && run.size() > 0 && run.end <= made.count());
    end = run.end;
  }
  for (const std::int64_t packet : plan.packets) {
    CHECK(std::ranges::any_of(
        plan.runs, [packet](const video::Run& run) { return run.begin <= packet && packet < run.end; }));
  }
  const double tick = bytes.real(1e-6, 1.0);
  const video::Run part = made.between(bytes.real(0, 100), bytes.real(0, 200), tick);
  CHECK(part.begin >= 0 && part.end <= made.count());
}

}  // namespace

void one_case(Bytes& bytes) { bytes.chance(2) ? claims(bytes) : packets(bytes); }

}  // namespace bindrt::stress

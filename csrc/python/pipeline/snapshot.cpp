// Counts and times of a lane under the names that Model.stats() has them.

#include "csrc/python/pipeline/snapshot.h"

#include <pybind11/stl.h>

#include <utility>

namespace py = pybind11;

namespace bindrt {

using pipeline::Histogram;
using pipeline::LaneCounts;
using pipeline::LaneSnapshot;
using pipeline::Stage;

namespace {

constexpr std::pair<const char*, Stage> kStageNames[] = {
    {"queue", Stage::kQueue},   {"prepare", Stage::kPrepare}, {"batch", Stage::kBatch},
    {"engine", Stage::kEngine}, {"finish", Stage::kFinish},   {"total", Stage::kTotal}};

py::dict stage_seconds(const pipeline::Pipeline& core, int lane) {
  py::dict stages;
  for (const auto& [name, stage] : kStageNames) {
    const Histogram& times = core.times(lane, stage);
    const auto seconds = [&times](double fraction) {
      return static_cast<double>(times.percentile(fraction)) / 1e9;
    };
    py::dict of;
    of["count"] = times.count();
    of["sum"] = static_cast<double>(times.sum()) / 1e9;
    of["p50"] = seconds(0.5);
    of["p90"] = seconds(0.9);
    of["p99"] = seconds(0.99);
    of["p99.9"] = seconds(0.999);
    of["max"] = static_cast<double>(times.largest()) / 1e9;
    stages[name] = of;
  }
  return stages;
}

}  // namespace

py::dict lane_snapshot(pipeline::Pipeline& core, int lane) {
  const LaneSnapshot found = core.snapshot(lane);
  const LaneCounts& counts = found.counts;
  py::dict result;
  const std::pair<const char*, std::uint64_t> numbers[] = {
      {"submitted", counts.submitted},
      {"refused", counts.refused},
      {"done", counts.done},
      {"failed", counts.failed},
      {"cancelled", counts.cancelled},
      {"expired", counts.expired},
      {"closed", counts.closed},
      {"batches", counts.batches},
      {"rows", counts.rows},
      {"engine_calls", counts.engine_calls},
      {"splits", counts.splits},
      {"halvings", counts.halvings},
      {"rows_copied", counts.rows_copied},
      {"rows_moved", counts.rows_moved},
      {"rows_borrowed", counts.rows_borrowed},
      {"batches_made", counts.batches_made},
      {"rows_on_device", counts.rows_on_device},
      {"bytes_to_device", counts.bytes_to_device},
      {"pictures_decoded_on_device", counts.pictures_decoded},
      {"videos_decoded_on_device", counts.films_decoded},
      {"queued", found.queued},
      {"batch_bytes", found.batch_bytes}};
  for (const auto& [name, value] : numbers) {
    result[name] = value;
  }
  result["preparing"] = found.preparing;
  result["rows_in_flight"] = found.in_flight;
  result["rows_in_engine"] = found.in_engine;
  result["device_lost"] = static_cast<int>(found.device_lost);
  result["limit"] = found.limit;
  py::dict sizes;
  for (std::size_t rows = 0; rows < found.batch_sizes.size(); ++rows) {
    if (found.batch_sizes[rows] > 0) {
      sizes[py::int_(rows)] = found.batch_sizes[rows];
    }
  }
  result["batch_sizes"] = sizes;
  result["seconds"] = stage_seconds(core, lane);
  return result;
}

py::dict times_below_powers(const pipeline::Pipeline& core, int lane, int least, int most) {
  if (least < 0 || most < least || most > 62) {
    throw py::value_error("powers are 0 to 62, ascending");
  }
  py::dict stages;
  for (const auto& [name, stage] : kStageNames) {
    stages[name] = core.times(lane, stage).below_powers(least, most);
  }
  return stages;
}

}  // namespace bindrt

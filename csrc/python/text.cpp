// Lets Python tokenise plain texts.
#include "csrc/python/text.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/text/tokenizer.h"
#include "csrc/text/words.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using text::Tokenizer;
using text::Words;
using Numbers = py::array_t<std::int32_t, py::array::c_style>;
using Ids = py::array_t<std::int64_t, py::array::c_style>;
using Known = py::array_t<bool, py::array::c_style>;

constexpr std::string_view kNotPlain = "\x7f";

std::array<std::int32_t, 128> of_characters(const Numbers& numbers) {
  std::array<std::int32_t, 128> found{};
  if (numbers.ndim() != 1 || numbers.shape(0) != 128) {
    throw py::value_error("there are 128 characters of ASCII");
  }
  std::copy_n(numbers.data(), found.size(), found.begin());
  return found;
}

std::shared_ptr<Tokenizer> make_tokenizer(const Numbers& inside, const Numbers& at_end, const Numbers& merges,
                                          std::int32_t first, std::int32_t start, std::int32_t end) {
  if (merges.ndim() != 2 || merges.shape(1) != 2) {
    throw py::value_error("merges are [N, 2]");
  }
  text::Vocabulary made{of_characters(inside), of_characters(at_end), {}, first, start, end};
  for (py::ssize_t i = 0; i < merges.shape(0); ++i) {
    made.merges.push_back({merges.at(i, 0), merges.at(i, 1)});
  }
  return std::make_shared<Tokenizer>(made);
}

std::shared_ptr<Words> make_words(const Known& known, std::vector<std::string> texts) {
  const bool* const first = known.data();
  return std::make_shared<Words>(std::vector<bool>(first, first + known.size()), std::move(texts));
}

std::span<std::int64_t> row(std::int64_t* ids, py::ssize_t length) {
  return {ids, static_cast<std::size_t>(length)};
}

// The ids of a plain text; None for any other object.
py::object encode(const Tokenizer& tokenizer, py::handle text, py::ssize_t length) {
  const std::optional<std::string_view> plain = ascii(text);
  if (!plain) {
    return py::none();
  }
  Ids ids(length);
  return tokenizer.encode(*plain, row(ids.mutable_data(), length)) > 0 ? py::object(ids) : py::none();
}

// Ids [N, length]; for each text how many they are with start and end, 0 for one that is not plain; and by
// their numbers the texts that have words which are not known, with these words.
py::tuple encode_all(const Tokenizer& tokenizer, const py::list& texts, py::ssize_t length,
                     const Words* words) {
  const auto count = static_cast<py::ssize_t>(texts.size());
  Ids ids({count, length});
  Ids counts(count);
  std::vector<std::string_view> plain;
  plain.reserve(texts.size());
  for (const py::handle text : texts) {
    plain.push_back(ascii(text).value_or(kNotPlain));
  }
  std::int64_t* const to = ids.mutable_data();
  std::int64_t* const lengths = counts.mutable_data();
  std::vector<std::pair<std::size_t, std::string>> unknown;
  {
    const WithoutGil release;  // the list and its texts stay: the caller has made it for this call
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const std::span<std::int64_t> of = row(to + static_cast<py::ssize_t>(i) * length, length);
      const std::size_t found = tokenizer.encode(plain[i], of);
      lengths[i] = static_cast<std::int64_t>(found);
      if (words != nullptr) {
        if (std::string said = words->unknown(of.first(found)); !said.empty()) {
          unknown.emplace_back(i, std::move(said));
        }
      }
    }
  }
  py::dict told;
  for (const auto& [i, said] : unknown) {
    told[py::int_(i)] = py::str(said);
  }
  return py::make_tuple(ids, counts, told);
}

std::string unknown(const Words& words, const Ids& ids) {
  return words.unknown({ids.data(), static_cast<std::size_t>(ids.size())});
}

}  // namespace

void bind_text(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<Words, std::shared_ptr<Words>>(module, "Words", py::is_final(), metaclass,
                                            "Which tokens an encoder knows; see csrc/text/words.h.")
      .def(py::init(&make_words), py::arg("known"), py::arg("texts"))
      .def("unknown", &unknown, py::arg("ids"));
  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(
      module, "Tokenizer", py::is_final(), metaclass,
      "CLIP's byte pair encoding of plain texts; see csrc/text/tokenizer.h.")
      .def(py::init(&make_tokenizer), py::arg("inside"), py::arg("at_end"), py::arg("merges"),
           py::arg("first"), py::arg("start"), py::arg("end"))
      .def("encode", &encode, py::arg("text"), py::arg("length"))
      .def("encode_all", &encode_all, py::arg("texts"), py::arg("length"), py::arg("words") = py::none());
}

}  // namespace bindrt

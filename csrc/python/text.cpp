// Lets Python tokenise plain texts.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/text/tokenizer.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using Numbers = py::array_t<std::int32_t, py::array::c_style>;
using Ids = py::array_t<std::int64_t, py::array::c_style>;
using Known = py::array_t<bool, py::array::c_style>;

std::array<std::int32_t, 128> of_characters(const Numbers& numbers) {
  std::array<std::int32_t, 128> found{};
  if (numbers.ndim() != 1 || numbers.shape(0) != 128) {
    throw py::value_error("there are 128 characters of ASCII");
  }
  std::copy_n(numbers.data(), found.size(), found.begin());
  return found;
}

// The characters of a str of ASCII, where Python has them; nothing for any other object.
std::optional<std::string_view> ascii(py::handle text) {
  if (!PyUnicode_CheckExact(text.ptr()) || !PyUnicode_IS_ASCII(text.ptr())) {
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text.ptr())),
                          static_cast<std::size_t>(PyUnicode_GET_LENGTH(text.ptr())));
}

class PythonTokenizer {
 public:
  PythonTokenizer(const Numbers& inside, const Numbers& at_end, const Numbers& merges, std::int32_t first,
                  std::int32_t start, std::int32_t end)
      : tokens_(std::max({first + static_cast<std::int32_t>(merges.shape(0)), start + 1, end + 1})),
        tokenizer_(vocabulary(inside, at_end, merges, first, start, end)) {}

  // The ids of a plain text, and those of them that are not known; None for any other object.
  py::object encode(py::handle text, py::ssize_t length, const std::optional<Known>& known) const {
    const std::optional<std::string_view> plain = ascii(text);
    if (!plain) {
      return py::none();
    }
    Ids ids(length);
    const std::span<std::int64_t> to = row(ids.mutable_data(), length);
    const std::size_t count = tokenizer_.encode(*plain, to);
    if (count == 0) {
      return py::none();
    }
    return py::make_tuple(
        ids, known ? tuple_of(text::unknown_among(to.first(count), flags(*known))) : py::tuple());
  }

  // Ids [N, length]; for each text how many they are with start and end, 0 for one that is not plain; and for
  // texts with ids that are not known, by their number, those.
  py::tuple encode_all(const py::list& texts, py::ssize_t length, const std::optional<Known>& known) const {
    const auto count = static_cast<py::ssize_t>(texts.size());
    Ids ids({count, length});
    Ids counts(count);
    std::vector<std::string_view> plain;
    for (const py::handle text : texts) {
      plain.push_back(ascii(text).value_or(kNotPlain));
    }
    const std::span<const bool> knows = known ? flags(*known) : std::span<const bool>();
    std::int64_t* const to = ids.mutable_data();
    std::int64_t* const lengths = counts.mutable_data();
    std::vector<std::pair<std::size_t, std::vector<std::int64_t>>> unknown;
    {
      const WithoutGil release;  // the list and its texts stay: the caller has made it for this call
      for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::span<std::int64_t> of = row(to + static_cast<py::ssize_t>(i) * length, length);
        const std::size_t found = tokenizer_.encode(plain[i], of);
        lengths[i] = static_cast<std::int64_t>(found);
        if (!knows.empty()) {
          unknown.emplace_back(i, text::unknown_among(of.first(found), knows));
          if (unknown.back().second.empty()) {
            unknown.pop_back();
          }
        }
      }
    }
    py::dict told;
    for (const auto& [i, numbers] : unknown) {
      told[py::int_(i)] = tuple_of(numbers);
    }
    return py::make_tuple(ids, counts, told);
  }

 private:
  static constexpr std::string_view kNotPlain = "\x7f";

  static text::Vocabulary vocabulary(const Numbers& inside, const Numbers& at_end, const Numbers& merges,
                                     std::int32_t first, std::int32_t start, std::int32_t end) {
    if (merges.ndim() != 2 || merges.shape(1) != 2) {
      throw py::value_error("merges are [N, 2]");
    }
    text::Vocabulary made{of_characters(inside), of_characters(at_end), {}, first, start, end};
    for (py::ssize_t i = 0; i < merges.shape(0); ++i) {
      made.merges.push_back({merges.at(i, 0), merges.at(i, 1)});
    }
    return made;
  }

  static py::tuple tuple_of(const std::vector<std::int64_t>& numbers) {
    py::tuple made(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      made[i] = numbers[i];
    }
    return made;
  }

  static std::span<std::int64_t> row(std::int64_t* ids, py::ssize_t length) {
    return {ids, static_cast<std::size_t>(length)};
  }

  std::span<const bool> flags(const Known& known) const {
    if (known.size() < tokens_) {
      throw py::value_error("each token is known or not");
    }
    return {known.data(), static_cast<std::size_t>(known.size())};
  }

  py::ssize_t tokens_;
  text::Tokenizer tokenizer_;
};

}  // namespace

void bind_text(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<PythonTokenizer>(module, "Tokenizer", py::is_final(), metaclass,
                              "CLIP's byte pair encoding of plain texts; see csrc/text/tokenizer.h.")
      .def(py::init<const Numbers&, const Numbers&, const Numbers&, std::int32_t, std::int32_t,
                    std::int32_t>(),
           py::arg("inside"), py::arg("at_end"), py::arg("merges"), py::arg("first"), py::arg("start"),
           py::arg("end"))
      .def("encode", &PythonTokenizer::encode, py::arg("text"), py::arg("length"),
           py::arg("known") = py::none())
      .def("encode_all", &PythonTokenizer::encode_all, py::arg("texts"), py::arg("length"),
           py::arg("known") = py::none());
}

}  // namespace bindrt

// Reads the kernels' images that the simulated driver is given.
#include "tests/cudasim/driver/image.h"

#include <elf.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace bindrt::cudasim::driver {
namespace {

constexpr int kMachineCuda = 190;
// Records of .nv.info sections: how their value is stored, and what they are.
constexpr unsigned char kValueInSize = 3;
constexpr unsigned char kValueFollows = 4;
constexpr unsigned char kMaxThreads = 0x05;
constexpr unsigned char kParamsBytes = 0x19;
constexpr unsigned char kRegisters = 0x2F;

template <class T>
T read(const unsigned char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

struct Record {
  unsigned char what;
  std::uint16_t size;  // or the value itself
  const unsigned char* value;
};

std::vector<Record> records(const unsigned char* begin, std::size_t bytes) {
  std::vector<Record> found;
  const unsigned char* const end = begin + bytes;
  while (end - begin >= 4) {
    const auto size = read<std::uint16_t>(begin + 2);
    const bool follows = begin[0] == kValueFollows;
    found.push_back({begin[1], size, begin + 4});
    if (begin[0] != kValueFollows && begin[0] != kValueInSize && begin[0] != 1 && begin[0] != 2) {
      throw std::invalid_argument("a record of .nv.info that we do not know");
    }
    begin += follows ? 4 + size : 4;
  }
  return found;
}

class Cubin {
 public:
  explicit Cubin(const unsigned char* begin) : begin_(begin), header_(read<Elf64_Ehdr>(begin)) {
    if (header_.e_machine != kMachineCuda || header_.e_shentsize != sizeof(Elf64_Shdr)) {
      throw std::invalid_argument("an ELF file that is not a cubin");
    }
    const unsigned char* const headers = begin_ + header_.e_shoff;
    for (std::size_t index = 0; index < header_.e_shnum; ++index) {
      sections_.push_back(read<Elf64_Shdr>(headers + index * sizeof(Elf64_Shdr)));
    }
  }

  Image image() const {
    Image image;
    image.architecture = static_cast<int>(
        (header_.e_ident[EI_ABIVERSION] >= 8 ? header_.e_flags >> 8 : header_.e_flags) & 0xFFU);
    for (const Elf64_Shdr& section : sections_) {
      if (const std::string kernel = after(name(section), ".text."); !kernel.empty()) {
        image.kernels.emplace(kernel, facts(kernel));
      }
    }
    return image;
  }

 private:
  static std::string after(const std::string& text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : "";
  }

  std::string name(const Elf64_Shdr& section) const {
    return reinterpret_cast<const char*>(begin_ + sections_.at(header_.e_shstrndx).sh_offset +
                                         section.sh_name);
  }

  KernelFacts facts(const std::string& kernel) const {
    KernelFacts found;
    for (const Elf64_Shdr& section : sections_) {
      const std::string title = name(section);
      if (title == ".nv.shared." + kernel) {
        found.shared = section.sh_size;
      } else if (title == ".nv.info." + kernel) {
        for (const Record& record : records(begin_ + section.sh_offset, section.sh_size)) {
          if (record.what == kParamsBytes) {
            found.params = record.size;
          } else if (record.what == kMaxThreads) {
            found.max_threads = read<std::uint32_t>(record.value) * read<std::uint32_t>(record.value + 4) *
                                read<std::uint32_t>(record.value + 8);
          }
        }
      } else if (title == ".nv.info") {
        found.registers = registers(section, kernel);
      }
    }
    return found;
  }

  // Registers are noted by the kernel's symbol.
  int registers(const Elf64_Shdr& info, const std::string& kernel) const {
    const Elf64_Shdr& symbols = sections_.at(info.sh_link);
    const unsigned char* const names = begin_ + sections_.at(symbols.sh_link).sh_offset;
    for (const Record& record : records(begin_ + info.sh_offset, info.sh_size)) {
      if (record.what != kRegisters) {
        continue;
      }
      const auto index = read<std::uint32_t>(record.value);
      const auto symbol = read<Elf64_Sym>(begin_ + symbols.sh_offset + index * sizeof(Elf64_Sym));
      if (kernel == reinterpret_cast<const char*>(names + symbol.st_name)) {
        return static_cast<int>(read<std::uint32_t>(record.value + 4));
      }
    }
    return 0;
  }

  const unsigned char* begin_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_;
};

// The numbers after `word`, which stand where the format says; false if there are none.
template <class... Numbers>
bool scan(const std::string& text, const char* word, const char* format, Numbers*... numbers) {
  const std::size_t at = text.find(word);
  return at != std::string::npos &&
         std::sscanf(text.c_str() + at + std::strlen(word), format, numbers...) == sizeof...(numbers);
}

// Name and bytes of the parameter of each `.entry NAME(.param … .b8 NAME_param_0[BYTES])`.
std::map<std::string, KernelFacts> entries(const std::string& text) {
  std::map<std::string, KernelFacts> found;
  constexpr std::string_view kEntry = ".entry ";
  for (std::size_t at = text.find(kEntry); at != std::string::npos; at = text.find(kEntry, at)) {
    at += kEntry.size();
    const std::size_t open = text.find('(', at);
    const std::size_t bytes = text.find('[', at);
    if (open == std::string::npos || bytes == std::string::npos || bytes > text.find(')', at)) {
      throw std::invalid_argument("an entry whose parameter is not one struct");
    }
    found[text.substr(at, open - at)].params = std::stoul(text.substr(bytes + 1));
  }
  return found;
}

Image read_ptx(const std::string& text) {
  Image image;
  int major = 0;
  int minor = 0;
  if (!scan(text, ".version ", "%d.%d", &major, &minor)) {
    throw std::invalid_argument("neither a cubin nor PTX");
  }
  if (!scan(text, ".target sm_", "%d", &image.architecture)) {
    throw std::invalid_argument("PTX without a target");
  }
  image.ptx_version = 10 * major + minor;
  image.kernels = entries(text);
  return image;
}

}  // namespace

Image read_image(const void* image) {
  const auto* const bytes = static_cast<const unsigned char*>(image);
  if (std::memcmp(bytes, ELFMAG, SELFMAG) == 0) {
    return Cubin(bytes).image();
  }
  return read_ptx(reinterpret_cast<const char*>(bytes));
}

}  // namespace bindrt::cudasim::driver

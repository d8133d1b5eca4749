// What the faults of disks have in common: their target, the files that they are about, and that
// they are troubles of those (sim/kernel/disk.hpp says what each does).
#pragma once

#include <string>
#include <vector>

#include "sim/faults/fault.hpp"
#include "sim/kernel/disk.hpp"

namespace rejoin::sim {

// A part of a file's name, or `any`.
[[nodiscard]] inline std::string file_of(const Params& params) {
  const auto& file = params.get<std::string>("file");
  return file == "any" ? "" : file;
}

// target and file, with what is between them.
[[nodiscard]] inline std::vector<ParamSpec> disk_params(std::vector<ParamSpec> own) {
  own.insert(own.begin(), {.name = "target",
                           .type = ParamType::hosts,
                           .unit = "",
                           .fallback = "",
                           .help = "whose disk",
                           .choices = {}});
  own.push_back({.name = "file",
                 .type = ParamType::text,
                 .unit = "",
                 .fallback = "any",
                 .help = "only files whose name contains this (raft, store.log, ...), or any",
                 .choices = {}});
  return own;
}

[[nodiscard]] inline ParamSpec disk_share(std::string_view fallback, std::string_view help) {
  return {.name = "share",
          .type = ParamType::share,
          .unit = "",
          .fallback = fallback,
          .help = help,
          .choices = {}};
}

// The trouble on each target; its file is filled in.
[[nodiscard]] inline Injection trouble_disks(FaultSite& site, DiskTrouble trouble) {
  trouble.file = file_of(site.params);
  return on_each(site, "target", [&](Kernel& kernel, Address host) {
    return kernel.trouble_disk(host, trouble, site.key.who);
  });
}

// ` (store.log)`, or nothing for any file.
[[nodiscard]] inline std::string says_file(const Params& params) {
  const std::string file = file_of(params);
  return file.empty() ? "" : " (" + file + ")";
}

[[nodiscard]] inline std::string says_share(const Params& params) {
  const Share share = params.get<Share>("share");
  return share.ppm == 1'000'000 ? "" : to_text(ParamValue(share)) + " of ";
}

}  // namespace rejoin::sim

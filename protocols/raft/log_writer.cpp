#include "protocols/raft/log_writer.hpp"

#include <utility>

#include "model/check.hpp"

namespace rejoin::raft {

void LogWriter::add(GroupId group, PersistSeq seq, const Record& record) {
  append_record(pending_, record);
  pending_marks_[group] = seq;
}

void LogWriter::sync() {
  CHECK_THAT(!busy_ && has_pending());
  busy_ = true;
  env_.append(kFile, pending_.take());
  pending_ = Writer{};
  marks_under_way_ = std::exchange(pending_marks_, {});
  env_.sync(kFile, token_);
}

void LogWriter::rewrite(ByteView content) {
  CHECK_THAT(!busy_);
  busy_ = true;
  pending_ = Writer{};
  marks_under_way_ = std::exchange(pending_marks_, {});
  env_.replace(kFile, content, token_);
}

std::map<GroupId, PersistSeq> LogWriter::complete() {
  CHECK_THAT(busy_);
  busy_ = false;
  return std::exchange(marks_under_way_, {});
}

}  // namespace rejoin::raft

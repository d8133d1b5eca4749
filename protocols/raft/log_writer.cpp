#include "protocols/raft/log_writer.hpp"

#include <utility>

#include "model/check.hpp"

namespace rejoin::raft {

void LogWriter::add(GroupId group, PersistSeq seq, Record record) {
  pending_.push_back(std::move(record));
  pending_marks_[group] = seq;
}

void LogWriter::sync() {
  CHECK_THAT(!busy_ && has_pending() && size_bytes_ != 0);
  busy_ = true;
  Writer frames;
  for (const Record& record : pending_) {
    append_record(frames, record, size_bytes_ + frames.size());
  }
  size_bytes_ += frames.size();
  records_ += pending_.size();
  pending_.clear();
  env_.append(kFile, frames.view());
  marks_under_way_ = std::exchange(pending_marks_, {});
  env_.sync(kFile, token_);
}

void LogWriter::rewrite(const std::vector<Record>& records) {
  CHECK_THAT(!busy_);
  busy_ = true;
  rewriting_ = true;
  const Bytes content = encode_log(records);
  size_bytes_ = content.size();
  records_ = records.size();
  pending_.clear();
  marks_under_way_ = std::exchange(pending_marks_, {});
  env_.replace(kFile, content, token_);
}

std::map<GroupId, PersistSeq> LogWriter::complete() {
  CHECK_THAT(busy_);
  busy_ = false;
  if (!std::exchange(rewriting_, false)) {
    Writer mark;
    append_mark(mark, {.records = records_}, size_bytes_);
    size_bytes_ += mark.size();
    env_.append(kFile, mark.view());
  }
  return std::exchange(marks_under_way_, {});
}

}  // namespace rejoin::raft

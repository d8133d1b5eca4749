#include "protocols/node/component.hpp"

#include "model/check.hpp"

namespace rejoin {

namespace {

std::uint64_t prefixed(Channel channel, std::uint64_t id) {
  CHECK_THAT(id >> kChannelShift == 0);
  return static_cast<std::uint64_t>(channel) << kChannelShift | id;
}

}  // namespace

std::string SubEnv::file_name(std::string_view file) const {
  std::string name;
  name.reserve(files_.size() + 1 + file.size());
  name.append(files_).append(1, '.').append(file);
  return name;
}

void SubEnv::send(Address to, Transport transport, Bytes frame, const Tag& tag) {
  machine_.send(to, transport, std::move(frame), tag);
}
void SubEnv::arm(TimerId timer, MonotonicTime deadline) {
  machine_.arm(TimerId(prefixed(channel_, timer.value)), deadline);
}
void SubEnv::disarm(TimerId timer) {
  machine_.disarm(TimerId(prefixed(channel_, timer.value)));
}
void SubEnv::append(std::string_view file, ByteView data) {
  machine_.append(file_name(file), data);
}
void SubEnv::sync(std::string_view file, IoToken token) {
  machine_.sync(file_name(file), IoToken(prefixed(channel_, token.value)));
}
void SubEnv::read(std::string_view file, IoToken token) {
  machine_.read(file_name(file), IoToken(prefixed(channel_, token.value)));
}
void SubEnv::replace(std::string_view file, ByteView data, IoToken token) {
  machine_.replace(file_name(file), data, IoToken(prefixed(channel_, token.value)));
}
void SubEnv::remove(std::string_view file, IoToken token) {
  machine_.remove(file_name(file), IoToken(prefixed(channel_, token.value)));
}
std::uint64_t SubEnv::random(std::string_view label, std::uint64_t what, std::uint64_t attempt) {
  return machine_.random(label, mix(static_cast<std::uint64_t>(channel_), what), attempt);
}

}  // namespace rejoin

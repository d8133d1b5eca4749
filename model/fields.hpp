// REJOIN_FIELDS(a, b, c) inside a struct lists its fields once, for encoding, decoding and
// printing (model/wire.hpp). Fields are only ever appended: their order is the wire's.
#pragma once

#define REJOIN_PARENS ()
#define REJOIN_EXPAND(...) REJOIN_EXPAND3(REJOIN_EXPAND3(REJOIN_EXPAND3(__VA_ARGS__)))
#define REJOIN_EXPAND3(...) REJOIN_EXPAND2(REJOIN_EXPAND2(REJOIN_EXPAND2(__VA_ARGS__)))
#define REJOIN_EXPAND2(...) REJOIN_EXPAND1(REJOIN_EXPAND1(REJOIN_EXPAND1(__VA_ARGS__)))
#define REJOIN_EXPAND1(...) __VA_ARGS__
#define REJOIN_EACH_FIELD(...) __VA_OPT__(REJOIN_EXPAND(REJOIN_ONE_FIELD(__VA_ARGS__)))
#define REJOIN_ONE_FIELD(name, ...) \
  (#name, self.name) __VA_OPT__(REJOIN_NEXT_FIELD REJOIN_PARENS(__VA_ARGS__))
#define REJOIN_NEXT_FIELD() REJOIN_ONE_FIELD

#define REJOIN_FIELDS(...)                                                        \
  template <class Archive, class Self>                                            \
  static void fields([[maybe_unused]] Archive& ar, [[maybe_unused]] Self& self) { \
    __VA_OPT__(ar REJOIN_EACH_FIELD(__VA_ARGS__);)                                \
  }

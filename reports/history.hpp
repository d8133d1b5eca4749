// The history of one run, for checkers of histories elsewhere: EDN in the form of Jepsen's
// histories (an operation a key, its value as [key value]), and a JSON object a line for Porcupine
// and others. What a checker wants beyond that is its reader's: a model that knows `delete`,
// transactions of one operation each for Elle.
//
// Invariants:
// 1. Operations of one instant are concurrent unless one client did them: a record has times, not
//    the order of events at one time. So nobody is told of an order that was not there.
// 2. What was never answered may have happened at any time, or never: it is :info in EDN, and has
//    `return: null` in JSON.
// 3. A read that asked one node directly is `direct-read`, not `read`: it promises nothing that a
//    checker of registers could hold against the cluster.
//
// Changes of settings are no operations on keys and are left out.
#pragma once

#include <string>

#include "model/run_record.hpp"

namespace rejoin::reports {

// A map a line: {:index 0, :time 12000000, :process 0, :type :invoke, :f :write,
// :value ["key-1" "v"]}. Times are ns; the value of a delete, or of a read that is invoked or found
// nothing, is nil; that of a counter is a number, that of a set, or of several siblings, a set. A
// process does one operation at a time and nothing after :info: then its client goes on as another
// process, further by the number of clients, as Jepsen's do.
[[nodiscard]] std::string history_edn(const RunRecord& record);

// {"index":0,"id":"client-1/1","client":1,"session":0,"key":"key-1","op":"write","input":"v",
// "output":null,"result":"ok","observed":[],"level":"quorum","node":"node-1","call":12000000,
// "return":15000000}: ordered by call, of `record.history` and its index there. `output` is what a
// read found, a list of a set or of several siblings, `observed` the writes that it saw, several
// when siblings.
[[nodiscard]] std::string history_jsonl(const RunRecord& record);

}  // namespace rejoin::reports

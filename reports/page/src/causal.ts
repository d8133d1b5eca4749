// The causal past of an event: what could have had an influence on it. An event follows what happened
// earlier on its own host, and, where it is an arrival, the event in which the message was sent
// (Lamport 1978). Hosts see only themselves and what arrives, so nothing else can have been a cause.

import type { MessageColumns, RunData } from './data';

/** By host, the last event of it that is in the past; -1: none is. */
export type Past = Int32Array;

export function causal_past(run: RunData, event: number, host: number): Past {
  const past = new Int32Array(run.hosts.length).fill(-1);
  if (host < 0) return past.fill(event);
  past[host] = event;
  const m = run.messages;
  const arrived = arrivals_by_host(m, run.hosts.length);
  // Each host's arrivals are taken once, latest first as its bound rises; bounds only rise.
  const done = arrived.map(() => 0);
  const work = [host];
  while (work.length > 0) {
    const at = work.pop()!;
    const list = arrived[at];
    while (done[at] < list.length && m.arrive_event[list[done[at]]]! <= past[at]) {
      const i = list[done[at]++];
      const from = m.from[i];
      if (m.send_event[i] <= past[from]) continue;
      past[from] = m.send_event[i];
      if (!work.includes(from)) work.push(from);
    }
  }
  return past;
}

function arrivals_by_host(m: MessageColumns, hosts: number): number[][] {
  const lists: number[][] = Array.from({ length: hosts }, () => []);
  for (let i = 0; i < m.to.length; ++i) if (m.arrive_event[i] !== null) lists[m.to[i]].push(i);
  for (const list of lists) list.sort((a, b) => m.arrive_event[a]! - m.arrive_event[b]!);
  return lists;
}

/** A message is in the past when it arrived there; one that was lost, when it was sent there. */
export function message_in(past: Past, m: MessageColumns, i: number): boolean {
  const arrived = m.arrive_event[i];
  return arrived === null ? m.send_event[i] <= past[m.from[i]] : arrived <= past[m.to[i]];
}

/** The message that made `host` do its event `event`, or the last that reached it before; or -1. */
export function cause_of(m: MessageColumns, host: number, event: number): number {
  let best = -1;
  for (let i = 0; i < m.to.length; ++i) {
    const arrived = m.arrive_event[i];
    if (m.to[i] !== host || arrived === null || arrived > event) continue;
    if (best < 0 || arrived > m.arrive_event[best]!) best = i;
  }
  return best;
}

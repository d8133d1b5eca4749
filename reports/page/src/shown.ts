// Which messages and facts the space-time diagram shows: those that pass the filters, and, at first,
// only those in the causal past of what went wrong. Made anew when a filter changes, not when time is
// panned.

import type { RunData } from './data';
import type { State } from './state';
import { causal_past, message_in, type Past } from './causal';

export interface Shown {
  /** Indices of messages, in order of `sent`. */
  messages: Int32Array;
  /** When they were sent, beside `messages`. */
  sent: Float64Array;
  /** The longest that one of them was under way. */
  slowest: number;
  facts: Int32Array;
  facts_at: Float64Array;
  ghosts: number[];
  /** Sent times by lane (host * purposes + purpose), for counting. */
  lanes: Float64Array[];
  /** The purposes that occur at all. */
  purposes: number[];
  /** Left out by filters and scope. */
  left_out: number;
}

/** The filters that it depends on, as one text. */
export const filters = (state: State): string =>
  JSON.stringify([state.key, state.node, state.off, state.scope, state.event]);

/** On which host the event happened; -1: cannot be told. */
export function host_of_event(run: RunData, event: number): number {
  const m = run.messages;
  for (let i = 0; i < m.to.length; ++i) {
    if (m.arrive_event[i] === event) return m.to[i];
    if (m.send_event[i] === event) return m.from[i];
  }
  const fact = run.facts.event.indexOf(event);
  if (fact >= 0) return run.facts.host[fact];
  const node = run.violations.find((v) => v.event === event)?.node;
  return node ? run.hosts.indexOf(node) : -1;
}

export function past_of(run: RunData, state: State): Past | null {
  const event = state.event ?? run.violations[0]?.event ?? null;
  if (state.scope !== 'past' || event === null) return null;
  return causal_past(run, event, host_of_event(run, event));
}

export function choose(run: RunData, state: State): Shown {
  const m = run.messages;
  const past = past_of(run, state);
  const key = state.key === null ? -1 : run.keys.indexOf(state.key);
  const node = state.node === null ? -1 : run.hosts.indexOf(state.node);
  const off = run.purposes.map((p) => state.off.includes(p));
  const chosen = new Int32Array(m.sent.length);
  const per_lane: number[][] = Array.from(
    { length: run.hosts.length * run.purposes.length },
    () => [],
  );
  const purposes = new Set<number>();
  let n = 0;
  let slowest = 0;
  for (let i = 0; i < m.sent.length; ++i) {
    if (off[m.purpose[i]]) continue;
    if (state.key !== null && m.key[i] !== key) continue;
    if (node >= 0 && m.from[i] !== node && m.to[i] !== node) continue;
    if (past && !message_in(past, m, i)) continue;
    chosen[n++] = i;
    purposes.add(m.purpose[i]);
    per_lane[m.from[i] * run.purposes.length + m.purpose[i]].push(m.sent[i]);
    const arrived = m.arrived[i];
    if (arrived !== null && arrived - m.sent[i] > slowest) slowest = arrived - m.sent[i];
  }
  const messages = chosen.slice(0, n);
  const f = run.facts;
  const facts = new Int32Array(f.at.length);
  let k = 0;
  for (let i = 0; i < f.at.length; ++i) {
    if (key >= 0 && f.key[i] >= 0 && f.key[i] !== key) continue;
    if (node >= 0 && f.host[i] >= 0 && f.host[i] !== node) continue;
    if (past && f.host[i] >= 0 && f.event[i] > past[f.host[i]]) continue;
    facts[k++] = i;
  }
  const chosen_facts = facts.slice(0, k);
  return {
    messages,
    sent: Float64Array.from(messages, (i) => m.sent[i]),
    slowest,
    facts: chosen_facts,
    facts_at: Float64Array.from(chosen_facts, (i) => f.at[i]),
    // Without a key there may be one for each write that was missed: too many to tell anything.
    ghosts: run.ghosts
      .map((_, i) => i)
      .filter((i) => (key >= 0 ? run.ghosts[i].key === key : run.ghosts.length <= 5)),
    lanes: per_lane.map((list) => Float64Array.from(list)),
    purposes: [...purposes].sort((a, b) => a - b),
    left_out: m.sent.length - n,
  };
}

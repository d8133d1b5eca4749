// What the page is given, as types: one JSON document, in the element #rejoin-data.
//
// Units: every time is virtual nanoseconds since the start of the run, as a number; sizes are bytes.
// An index counts from 0 into the list that its comment names; -1 stands for none.
// Columns of one record are of equal length. Keys may be added; none is renamed.

export type PageData = RunData | ComparisonData | CampaignData;

export type Verdict = 'pass' | 'fail' | 'vacuous' | 'unbounded';

/** One run of one scenario. */
export interface RunData {
  kind: 'run';
  /** The version of rejoin that wrote this. */
  rejoin: string;
  scenario: string;
  file: string;
  about: string;
  seed: number;
  verdict: Verdict;
  /** The verdict in a sentence. */
  says: string;
  /** 32 hex digits. */
  digest: string;
  /** When the run ended. */
  virtual_ns: number;
  sync: string;
  versions: string;
  partitions: number;
  replication: number;
  /** What to type to see this run again. */
  command: string;
  /** Nodes first, then clients; host indices below count into it. */
  hosts: string[];
  nodeCount: number;
  labels: Label[];
  nodes: NodeLife[];
  operations: Operation[];
  stores: StoreOfKey[];
  violations: Violation[];
  messages: MessageColumns;
  kinds: string[];
  /** `foreground`, `repair`, `membership`, `consensus`. */
  purposes: string[];
  /** fates[0] is `delivered`. */
  fates: string[];
  keys: string[];
  /** Decoded messages, each once. */
  strings: string[];
  facts: FactColumns;
  fact_kinds: string[];
  ghosts: Ghost[];
  /** What was left out of these lists to keep the page small. */
  hidden: {
    messages: number;
    facts: number;
    operations: number;
    violations: number;
    /** Spans of nodes that were joined with others, as the worst of them. */
    spans: number;
    ghosts: number;
  };
  metrics: Record<string, number | null>;
  /** What each of them is called. */
  metric_words: Record<string, string>;
}

/** A step of the scenario: T0, T1, ... */
export interface Label {
  label: string;
  at: number;
  completed: number;
  what: string;
  /** Each node once the step was complete, in the order of `nodes`. */
  nodes: Pick<NodeSpan, 'state' | 'leader' | 'keys' | 'stale' | 'missing'>[];
}

/** `dead`: down, and still a member. `offline`: down and removed. `evicted`: up and removed. */
export type NodeState = 'alive' | 'dead' | 'offline' | 'syncing' | 'evicted';

export interface NodeLife {
  name: string;
  /** In order of time, one beginning where the one before ends. */
  spans: NodeSpan[];
}

export interface NodeSpan {
  from: number;
  to: number;
  state: NodeState;
  leader: boolean;
  /** How many keys it holds, also while it is down. */
  keys: number;
  /** Acknowledged, its to keep, and held in an older version; 0 while it is down. */
  stale: number;
  /** Acknowledged, its to keep, and not held at all; 0 while it is down. */
  missing: number;
  /** It serves as if all of it were repaired. */
  claims: boolean;
}

export interface Operation {
  /** `client-1/125` */
  id: string;
  client: string;
  /** `write`, `delete`, `read`, `direct-read`, ... */
  kind: string;
  key: string;
  invoked: number;
  /** null: it was never answered. */
  returned: number | null;
  /** `ok`, `not-found`, `value`, `siblings`, `unavailable`, `no-answer`, ... */
  result: string;
  /** Written or read. */
  value: string | null;
  /** The node that served it. */
  via: string | null;
  level: string;
  /** Ids of the writes that a read saw. */
  observed: string[];
  /** The step that made it. */
  label: string | null;
  stale: boolean;
  /** Id of the write that it should have seen. */
  missed: string | null;
  /** Why it was stale, in a sentence. */
  why: string | null;
}

/** What each replica held of one key, over time. */
export interface StoreOfKey {
  key: string;
  partition: string;
  replicas: { node: string; held: Held[] }[];
}

export interface Held {
  from: number;
  to: number;
  /** Id of the operation that wrote it; null: nothing is held in this span, for `cause`. */
  origin: string | null;
  /** A tombstone. */
  deleted: boolean;
  cause: 'foreground' | 'repair' | 'collection' | 'crash';
  /** From when on it would have survived a crash; null: never did. */
  durable_from: number | null;
}

export interface Violation {
  invariant: string;
  at: number;
  /** Number of the event; events of a run are numbered in the order in which they happened. */
  event: number;
  node: string | null;
  key: string | null;
  expected: boolean;
  says: string;
  evidence: string[];
}

/** In order of `sent`. */
export interface MessageColumns {
  sent: number[];
  /** null: it never arrived. */
  arrived: (number | null)[];
  /** Indices into hosts. */
  from: number[];
  to: number[];
  /** Into kinds. */
  kind: number[];
  /** Into purposes. */
  purpose: number[];
  /** On the wire; -1: was not recorded. */
  bytes: number[];
  /** Into fates; 0 is delivered. */
  fate: number[];
  /** Into keys, or -1. */
  key: number[];
  /** The event in which the sender sent it. */
  send_event: number[];
  arrive_event: (number | null)[];
  /** Into strings. */
  text: number[];
}

/** What hosts said of themselves, and faults. In order of `at`. */
export interface FactColumns {
  at: number[];
  event: number[];
  /** Into hosts; -1: the world, as for a fault. */
  host: number[];
  /** Into fact_kinds. */
  kind: number[];
  /** Into strings. */
  text: number[];
  /** Into keys, or -1. */
  key: number[];
}

/** A message that was never sent, though a replica lacks what it would have brought. */
export interface Ghost {
  at: number;
  /** Into hosts. */
  from: number;
  to: number;
  /** Into keys, or -1. */
  key: number;
  says: string;
}

/** Several strategies, the same seeds. */
export interface ComparisonData {
  kind: 'comparison';
  rejoin: string;
  scenario: string;
  file: string;
  /** Name of the strategy that the others are compared with. */
  reference: string;
  /** How many, for each cell. */
  seeds: number;
  /** What was varied. The cell of a point counts through all values, the last path fastest. */
  vary: { path: string; values: string[] }[];
  strategies: Strategy[];
  /** How a metric grows with what was varied: metric ~ value^exponent. */
  fits: {
    strategy: string;
    metric: string;
    path: string;
    exponent: number;
    low: number;
    high: number;
  }[];
  metrics: Metric[];
}

export interface Metric {
  name: string;
  /** What it is called. */
  words: string;
  help: string;
  unit: string;
  /** Which of two values is the better one; null: they are only different. */
  better: 'less' | 'more' | null;
}

export interface Strategy {
  name: string;
  /** In how many runs it did not hold, and in how many of these it was promised. */
  broken: { invariant: string; seeds: number; promised: number }[];
  /** Of the strategies that kept their promises none is better in repair bytes, stale copies x time,
   *  time to converge or time unavailable, and no worse in the others. */
  front: boolean;
  points: Point[];
  /** By metric, over all cells. */
  summary: Record<string, Summary>;
}

export interface Point {
  seed: number;
  cell: number;
  verdict: Verdict;
  metrics: Record<string, number | null>;
  command: string;
}

export interface Summary {
  n: number;
  median: number;
  p10: number;
  p90: number;
  p99: number;
  /** Median of the paired differences to the reference, with its 95% interval; null for itself. */
  difference: number | null;
  low: number | null;
  high: number | null;
  /** No pair differs. */
  same: boolean;
  /** There is an interval, and it tells nothing. */
  inconclusive: boolean;
}

/** A search through many seeds. */
export interface CampaignData {
  kind: 'campaign';
  rejoin: string;
  scenario: string;
  file: string;
  sync: string;
  /** The first seed; 1 when absent. */
  first?: number;
  seeds: number;
  failed: number;
  vacuous: number;
  /** Runs in a real second. */
  per_second: number;
  failures: {
    signature: string;
    invariant: string;
    says: string;
    seeds: number;
    /** The first seed that showed it. */
    first: number;
    /** The file that was saved. */
    file: string;
    command: string;
    /** To what it was shrunk, in words; null: it was not. */
    shrunk: string | null;
  }[];
  /** Binned: the last seed of the bin, and how many seeds of the bin failed. */
  rate: { seed: number; failed: number }[];
  /** How often each fault was injected in each phase of the cluster. */
  coverage: { fault: string; phase: string; n: number }[];
  /** Seeds until a planted bug was found, over stretches of seeds. */
  planted: {
    bug: string;
    invariant: string;
    median: number;
    p90: number;
    found: number;
    of: number;
  }[];
}

/** Reads the document. Throws when it is absent or is no JSON. */
export function load(): PageData {
  const element = document.getElementById('rejoin-data');
  if (!element?.textContent) throw new Error('this page was written without its data');
  return JSON.parse(element.textContent) as PageData;
}

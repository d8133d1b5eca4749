// The names that facts have in a picture, and which of them matter most where there is room for few.

/** null: the fact is a dot without a name. */
export function short_name(kind: string, text: string): string | null {
  const field = (name: string): string | undefined =>
    new RegExp(`\\b${name}: "?([^",}]*)`).exec(text)?.[1];
  switch (kind) {
    case 'BecameLeader':
      return `leads, term ${field('term') ?? '?'}`;
    case 'ProcessCrashed':
      return 'crashes';
    case 'ProcessStarted':
      return 'starts';
    case 'GateOpened':
      return field('claims_repaired') === 'true' ? 'claims repaired' : 'opens';
    case 'MemberRemoved':
      return `${field('node') ?? 'a member'} is out`;
    case 'MemberAdded':
      return `${field('node') ?? 'a member'} is in`;
    case 'RepairStarted':
      return 'repairs';
    case 'RepairCompleted':
      return 'is repaired';
    case 'FaultInjected':
      return field('target') ?? 'fault';
    default:
      return null;
  }
}

const ORDER = ['ProcessCrashed', 'BecameLeader', 'GateOpened', 'MemberRemoved', 'ProcessStarted'];

/** Lower matters more. */
export const weight = (kind: string): number => {
  const at = ORDER.indexOf(kind);
  return at < 0 ? ORDER.length : at;
};

export const grave = (kind: string): boolean =>
  kind === 'ProcessCrashed' || kind === 'FaultInjected';

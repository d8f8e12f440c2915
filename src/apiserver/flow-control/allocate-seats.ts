// How the server's seats are shared among priority levels. Pure.
// Upstream: pkg/util/flowcontrol/conc_alloc.go, and finishQueueSetReconfigsLocked and updateBorrowingLocked in
// apf_controller.go; KEP-1040, "Seat Borrowing".

/** What the server works on at once: upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
export const SERVER_SEATS = 400 + 200

export interface Shares {
  shares: number
  lendablePercent: number
  /** undefined: it may borrow what there is. */
  borrowingLimitPercent: number | undefined
}

export interface SeatLimits {
  nominal: number
  /** What is left when all that may be lent is lent. */
  lower: number
  /** With all that may be borrowed. */
  upper: number
}

export function limitsOf(
  { shares, lendablePercent, borrowingLimitPercent }: Shares,
  allShares: number,
): SeatLimits {
  const nominal = allShares === 0 ? 0 : Math.ceil((SERVER_SEATS * shares) / allShares)
  const borrowed =
    borrowingLimitPercent === undefined ? SERVER_SEATS : Math.round((nominal * borrowingLimitPercent) / 100)
  return {
    nominal,
    lower: nominal - Math.round((nominal * lendablePercent) / 100),
    upper: nominal + borrowed,
  }
}

/** What one level should get, and between which bounds. */
export interface Wish {
  target: number
  lower: number
  upper: number
}

export interface Allocation {
  /** In the order of the wishes; they add up to the sum. */
  seats: number[]
  /** Each got this times its target, as far as its bounds allow. */
  fairFraction: number
}

/** So that a level without a wish of its own still gets a part of what is left. */
const LEAST_TARGET = 0.001

/** undefined: no allocation within the bounds adds up to the sum. */
export function allocateSeats(sum: number, wishes: readonly Wish[]): Allocation | undefined {
  const able = wishes.map(wish => ({ ...wish, target: Math.max(LEAST_TARGET, wish.target) }))
  const seatsAt = (fraction: number) =>
    able.map(({ target, lower, upper }) => Math.max(lower, Math.min(upper, fraction * target)))
  const totalAt = (fraction: number) => seatsAt(fraction).reduce((total, seats) => total + seats, 0)
  const bends = able.flatMap(({ target, lower, upper }) => [lower / target, upper / target])
  bends.sort((a, b) => a - b)
  const after = bends.findIndex(bend => totalAt(bend) >= sum - 1e-7)
  if (after < 0 || totalAt(bends[0]!) > sum + 1e-7) return undefined
  // The total grows evenly between two bends.
  const [low, high] = [bends[Math.max(0, after - 1)]!, bends[after]!]
  const [fewest, most] = [totalAt(low), totalAt(high)]
  const part = most > fewest ? Math.min(1, (sum - fewest) / (most - fewest)) : 1
  const fairFraction = low + part * (high - low)
  return { seats: seatsAt(fairFraction), fairFraction }
}

// Removes network links of the host, many at once and away from the event loop. The kernel waits for every processor to
// let go of a link, some 20 ms each when they go one by one; those of a group go together and wait once.
import { attribute, textAttribute } from '../../../base/netlink/attributes.ts'
import {
  NETLINK,
  NetlinkError,
  type NetlinkMessage,
  NetlinkSocket,
} from '../../../base/netlink/netlink-socket.ts'

const DELETE_LINK = 17
const SET_LINK = 19
const IFLA = { name: 3, group: 27 }
const LINK_HEADER_BYTES = 16
/** Only what is to be removed is ever in it; a link of another cluster that is in it is to be removed as well. */
const CONDEMNED = 0x6b6e_646c

export class LinkRemover {
  readonly #netlink = new NetlinkSocket(NETLINK.route)
  readonly #waiting = new Set<string>()
  #round: Promise<void> | undefined

  close(): void {
    this.#netlink.close()
  }

  /** Resolves when the link is gone. One that is not there is fine. */
  remove(name: string): Promise<void> {
    this.#waiting.add(name)
    // What comes while a round is under way goes with the next one, together.
    this.#round ??= Promise.resolve().then(() => this.#removeWaiting())
    return this.#round.then(() => (this.#waiting.has(name) ? this.remove(name) : undefined))
  }

  async #removeWaiting(): Promise<void> {
    const names = [...this.#waiting]
    this.#waiting.clear()
    try {
      await unlessGone(this.#netlink.batchAside(names.map(condemn)))
      await unlessGone(this.#netlink.batchAside([REMOVE_CONDEMNED]))
    } finally {
      this.#round = undefined
    }
  }
}

const groupAttribute = () => {
  const value = Buffer.alloc(4)
  value.writeUInt32LE(CONDEMNED)
  return attribute(IFLA.group, value)
}

const condemn = (name: string): NetlinkMessage => ({
  type: SET_LINK,
  flags: 0,
  body: Buffer.concat([Buffer.alloc(LINK_HEADER_BYTES), textAttribute(IFLA.name, name), groupAttribute()]),
})

const REMOVE_CONDEMNED: NetlinkMessage = {
  type: DELETE_LINK,
  flags: 0,
  body: Buffer.concat([Buffer.alloc(LINK_HEADER_BYTES), groupAttribute()]),
}

/** The kernel works on every message of a batch, whatever becomes of the others. */
async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.code !== 'ENODEV') throw error
  }
}

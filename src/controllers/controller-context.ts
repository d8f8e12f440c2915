import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'

/** What every controller is given. */
export interface ControllerContext {
  client: Client
  clock: Clock
  log: Log
}

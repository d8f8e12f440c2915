// The cluster's DNS server: its own zone first, the host's resolvers for the rest, on UDP and TCP.
import { parseCidr } from '../api/ip.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { networkExchange } from './forward/exchange.ts'
import { Forwarder } from './forward/forwarder.ts'
import { followUpstreams } from './forward/upstream-servers.ts'
import { type QueryHandler, queryHandler } from './server/query-handler.ts'
import { listenTcp } from './server/tcp-listener.ts'
import { type Listener, listenUdp } from './server/udp-listener.ts'
import { ServiceIndex } from './zone/service-index.ts'
import { zoneResponder } from './zone/zone-responder.ts'

export interface DnsServerOptions {
  client: Client
  clock: Clock
  log: Log
  /** 'cluster.local' */
  zone: string
  /** The Service's address: '10.96.0.10'. */
  serviceAddress: string
  /** Every address that this server is reached by, the Service's and those listened on. */
  ownAddresses: readonly string[]
  /** CIDRs of services and pods. */
  ownRanges: readonly string[]
  /** The host's resolv.conf. */
  resolvConf: string
  random: () => number
}

/** CoreDNS's default: a change is seen by caching clients within so many seconds. */
const TTL = 5

export class DnsServer {
  readonly #options: DnsServerOptions
  readonly #index: ServiceIndex
  readonly #forwarder: Forwarder
  readonly #handle: QueryHandler

  constructor(options: DnsServerOptions) {
    const { clock, log, random } = options
    this.#options = options
    this.#index = new ServiceIndex(options)
    this.#forwarder = new Forwarder({ exchange: networkExchange(clock), clock, log, random })
    const facts = {
      zone: options.zone,
      serverAddresses: [options.serviceAddress],
      ownRanges: options.ownRanges.map(text => parseCidr(text)!),
      ttl: TTL,
      serial: Math.floor(clock.now() / 1000),
    }
    const elsewhere = this.#forwarder.resolve.bind(this.#forwarder)
    this.#handle = queryHandler([zoneResponder(this.#index, facts, elsewhere, random), elsewhere], log)
  }

  /** Keeps the zone and the upstream servers current until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { resolvConf: file, ownAddresses, log } = this.#options
    const upstreams = {
      file,
      own: new Set(ownAddresses),
      onChange: (servers: readonly string[]) => this.#forwarder.useServers(servers),
      log,
    }
    await Promise.all([this.#index.run(signal), followUpstreams(upstreams, signal)])
  }

  /** Resolves when every Service that exists is known. */
  get synced(): Promise<void> {
    return this.#index.synced()
  }

  /** The same port on UDP and TCP; 0: any that is free on both. Fails with the system's error. */
  async listen(address: string, port: number): Promise<Listener> {
    const tcp = await listenTcp(address, port, this.#handle)
    try {
      const udp = await listenUdp(address, tcp.port, this.#handle)
      const close = async () => void (await Promise.all([udp.close(), tcp.close()]))
      return { port: tcp.port, close }
    } catch (error) {
      await tcp.close()
      throw error
    }
  }
}

import { Client } from './client.ts'
import { clientContract, expiredWatchContract } from './contract.ts'
import { MapHandler } from './map-handler.fixture.ts'

async function open() {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  return {
    client,
    namespace: 'default',
    forgetHistory: async () => server.forgetHistory(),
    close: async () => {},
  }
}

clientContract('in-process', open)
expiredWatchContract('in-process', open)

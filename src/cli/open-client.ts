import { Client } from '../client/client.ts'
import { httpsHandler } from '../client/https-transport.ts'
import { readKubeconfig } from '../client/kubeconfig.ts'

/** A client as the kubeconfig's current user. The user is the certificate's; the name here is never sent. */
export function openClient(kubeconfig: string): Client {
  return new Client(httpsHandler(readKubeconfig(kubeconfig)), { name: '', groups: [] }, 'kubernode')
}

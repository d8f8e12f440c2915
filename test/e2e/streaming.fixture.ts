// Pods to talk to, and talks with a program.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Three containers; the default one is `box`. */
export const WEB = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}, annotations: {kubectl.kubernetes.io/default-container: box}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: nginx, image: nginx, imagePullPolicy: IfNotPresent, ports: [{containerPort: 80, name: http}]}
  - {name: box, image: busybox:1.30, command: [sleep, "100000"]}
  - {name: greeter, image: busybox:1.30, command: [nc, -ll, -p, "82", -e, echo, hello]}
`

/** A shell on a terminal. */
export const SCREEN = `
apiVersion: v1
kind: Pod
metadata: {name: screen}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: shell, image: busybox:1.30, stdin: true, tty: true, command: [sh]}
`

export interface Conversation {
  child: ChildProcess
  said(): string
  ended: Promise<number>
}

export function converse(child: ChildProcess): Conversation {
  let text = ''
  for (const output of [child.stdout, child.stderr])
    output!.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
  const ended = once(child, 'close').then(([code]) => code as number)
  return { child, said: () => text, ended }
}

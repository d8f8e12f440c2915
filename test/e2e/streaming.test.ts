// exec, attach, port-forward, cp, run and debug with real kubectl and the JavaScript client, against real containers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough, type Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { Attach, Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node'
import { WebSocket } from 'ws'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { type Conversation, converse, SCREEN, WEB } from './streaming.fixture.ts'
import { eventually, type KubectlVersion, kubectlBinary, TestCluster } from './test-cluster.ts'

const VERSIONS: KubectlVersion[] = ['1.20', '1.36']
const LARGE_BYTES = 50 * 1024 * 1024

let cluster: TestCluster

const ECHO = `
apiVersion: v1
kind: Pod
metadata: {name: echo}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: cat
    image: busybox:1.30
    stdin: true
    stdinOnce: true
    command: [sh, -c, "cat; echo the end"]
`

before(async () => {
  cluster = await TestCluster.up()
  await cluster.kubectl('apply -f -', { input: [WEB, ECHO, SCREEN].join('---') })
  await cluster.kubectl('wait --for=condition=Ready pod/web pod/echo pod/screen --timeout=30s')
})

after(() => cluster?.[Symbol.asyncDispose]())

/** kubectl on a terminal of its own, of 33 rows and 99 columns. */
function onTerminal(version: KubectlVersion, args: string): Conversation {
  const command = `stty rows 33 cols 99; exec ${kubectlBinary(version)} ${args}`
  return converse(spawn('script', ['-qec', command, '/dev/null'], { env: environment() }))
}

const environment = () => ({ ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir })
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

for (const version of VERSIONS) {
  const kubectl = (args: string[], input?: string) =>
    cluster.tryKubectl(args, { version, ...(input !== undefined && { input }) })

  test(`kubectl ${version} exec: outputs apart, exit codes, stdin with its end`, async () => {
    const failing = await kubectl([
      'exec',
      'web',
      '-c',
      'box',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    ])
    assert.deepEqual(failing, {
      code: 3,
      stdout: 'out\n',
      stderr: 'err\ncommand terminated with exit code 3\n',
    })
    const counted = await kubectl(['exec', '-i', 'web', '-c', 'box', '--', 'wc', '-c'], 'twelve bytes')
    assert.deepEqual(counted, { code: 0, stdout: '12\n', stderr: '' })
    const unread = await kubectl(['exec', '-i', 'web', '-c', 'box', '--', 'true'], 'x'.repeat(200_000))
    assert.equal(unread.code, 0)
    const missing = await kubectl(['exec', 'web', '-c', 'box', '--', 'no-such-program'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /exec: "no-such-program": executable file not found in \$PATH/)
    assert.doesNotMatch(missing.stderr, /`no-such-program`/)
  })

  test(`kubectl ${version} exec on a terminal: size, resize, exit code`, async () => {
    const shell = onTerminal(version, 'exec -it web -c box -- sh')
    await eventually('a prompt', () => shell.said().includes('# '))
    shell.child.stdin!.write('stty size; tty; echo "term=$TERM"; exit 5\n')
    assert.equal(await shell.ended, 5)
    assert.match(shell.said(), /^33 99\r?$/m)
    assert.match(shell.said(), /^\/dev\/pts\/\d+\r?$/m)
    assert.match(shell.said(), /^term=xterm\r?$/m)
  })

  test(`kubectl ${version}: ${LARGE_BYTES} bytes each way arrive whole`, async () => {
    const bytes = randomBytes(LARGE_BYTES)
    const child = spawn(kubectlBinary(version), ['exec', '-i', 'web', '-c', 'box', '--', 'cat'], {
      env: environment(),
    })
    child.stdin.end(bytes)
    const back = createHash('sha256')
    for await (const chunk of child.stdout) back.update(chunk as Buffer)
    assert.equal(back.digest('hex'), sha256(bytes))
  })

  test(`kubectl ${version} cp: a folder there and back`, async () => {
    const [there, back] = [`there-${version}`, `back-${version}`].map(name =>
      join(cluster.dataDir, name),
    ) as [string, string]
    mkdirSync(there)
    const bytes = randomBytes(300_000)
    writeFileSync(join(there, 'blob'), bytes)
    writeFileSync(join(there, 'empty'), '')
    assert.equal((await kubectl(['cp', there, `web:/tmp/copy-${version}`, '-c', 'box'])).code, 0)
    assert.equal((await kubectl(['cp', `web:/tmp/copy-${version}`, back, '-c', 'box'])).code, 0)
    assert.equal(sha256(readFileSync(join(back, 'blob'))), sha256(bytes))
    assert.equal(readFileSync(join(back, 'empty')).length, 0)
  })

  test(`kubectl ${version} port-forward: many connections, and words for a port where nobody listens`, async () => {
    const child = spawn(kubectlBinary(version), ['port-forward', 'pod/web', ':80', ':81', ':82'], {
      env: environment(),
    })
    const forward = converse(child)
    const port = async (target: number) =>
      Number(
        (
          await eventually(`port ${target}`, () =>
            new RegExp(`127.0.0.1:(\\d+) -> ${target}`).exec(forward.said()),
          )
        )[1],
      )
    const open = `http://127.0.0.1:${await port(80)}/`
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => fetch(open).then(answer => answer.text())),
    )
    for (const page of pages) assert.match(page, /Welcome to nginx!/)
    const greeting = connect(await port(82), '127.0.0.1')
    assert.equal(await text(greeting), 'hello\n', 'a server that speaks first and ends')
    await assert.rejects(fetch(`http://127.0.0.1:${await port(81)}/`))
    await eventually('the reason', () => /connect: connection refused/.test(forward.said()))
    child.kill()
    await forward.ended
  })

  test(`kubectl ${version} run -it --rm: a shell whose exit code comes back and whose pod goes`, async () => {
    const name = `once-${version.replace('.', '-')}`
    const shell = onTerminal(version, `run ${name} -it --rm --restart=Never --image=busybox:1.30 -- sh`)
    await eventually('a prompt', () => /# /.test(shell.said()))
    shell.child.stdin!.write('echo "on $((6*7))"; exit 7\n')
    assert.equal(await shell.ended, 7)
    assert.match(shell.said(), /on 42/)
    assert.match(shell.said(), new RegExp(`pod "${name}" deleted`))
    assert.match((await kubectl(['get', 'pod', name])).stderr, /NotFound/)
  })

  test(`kubectl ${version} names what is not there as upstream does`, async () => {
    const cases: [string[], RegExp][] = [
      [['exec', 'nobody', '--', 'true'], /^Error from server \(NotFound\): pods "nobody" not found\n$/],
      [['exec', 'web', '-c', 'nix', '--', 'true'], /container nix is not valid for pod web/],
      [['attach', 'nobody'], /pods "nobody" not found/],
      [['port-forward', 'pod/nobody', '1:1'], /pods "nobody" not found/],
    ]
    for (const [args, words] of cases) {
      const { code, stderr } = await kubectl(args)
      assert.equal(code, 1)
      assert.match(stderr, words)
    }
  })
}

test('attach with stdinOnce: the end of the first input ends what the container reads', async () => {
  const { code, stdout } = await cluster.tryKubectl(['attach', '-i', 'echo', '-c', 'cat'], {
    input: 'hello\n',
  })
  assert.equal(code, 0)
  assert.equal(stdout, 'hello\nthe end\n')
  await eventually(
    'the pod to be done',
    async () => (await cluster.json<Pod>('get pod echo')).status.phase === 'Succeeded',
  )
  assert.equal(await cluster.kubectl('logs echo'), 'hello\nthe end\n')
})

test('attach to a terminal, twice: the shell outlives the first visitor', async () => {
  for (const [version, words] of [
    ['1.36', 'first'],
    ['1.20', 'second'],
  ] as const) {
    const visit = onTerminal(version, 'attach -it screen')
    await eventually('the shell', () => {
      visit.child.stdin!.write('\n')
      return visit.said().includes('# ')
    })
    visit.child.stdin!.write(
      `until stty size | grep "33 99"; do sleep 0.05; done; x=$x-${words}; echo "=$x="\n`,
    )
    await eventually('an answer', () => new RegExp(`\\n33 99\\r?\\n=.*-${words}=`).test(visit.said()))
    if (words === 'second') assert.match(visit.said(), /=-first-second=/)
    visit.child.kill('SIGKILL')
    await visit.ended
  }
})

test('debug: an ephemeral container sees the processes of its target', async () => {
  const shell = onTerminal('1.36', 'debug -it web --image=busybox:1.30 --target=box -- sh')
  await eventually('a prompt', () => /# /.test(shell.said()))
  shell.child.stdin!.write('ps; exit\n')
  await shell.ended
  assert.match(shell.said(), /\b1 root +sleep 100000/)
})

test('the default container is the one that an annotation names; several without it are told', async () => {
  assert.equal(await cluster.kubectl(['exec', 'web', '--', 'sh', '-c', 'echo $0 box']), 'sh box\n')
  const path = '/api/v1/namespaces/default/pods/web/exec?command=true&stdout=true'
  const { stderr } = await cluster.tryKubectl(['create', '--raw', path, '-f', '-'], { input: '{}' })
  assert.match(stderr, /a container name must be specified for pod web, choose one of: \[nginx box/)
})

function jsClient(): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  return config
}

function collector(): Writable & { text(): string } {
  let text = ''
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  return Object.assign(writable, { text: () => text })
}

const inputOf = (text: string): Readable => {
  const input = new PassThrough()
  input.end(text)
  return input
}

test('logs and watches over WebSocket, for clients that have nothing else; an offer of h2c changes nothing', async () => {
  const { currentUser, currentCluster } = withUser(jsClient())
  const options = {
    ca: fromBase64(currentCluster.caData),
    cert: fromBase64(currentUser.certData),
    key: fromBase64(currentUser.keyData),
  }
  const open = (path: string, protocols: string[] = []) =>
    new WebSocket(
      `${currentCluster.server.replace('http', 'ws')}/api/v1/namespaces/default/${path}`,
      protocols,
      options,
    )
  const log = open('pods/echo/log', ['binary.k8s.io'])
  const pieces: Buffer[] = []
  log.on('message', (piece: Buffer) => pieces.push(piece))
  await once(log, 'close')
  assert.equal(Buffer.concat(pieces).toString(), 'hello\nthe end\n')
  const watch = open('pods?watch=true&fieldSelector=metadata.name=web')
  const [first] = (await once(watch, 'message')) as [Buffer]
  const { type, object } = JSON.parse(first.toString()) as { type: string; object: Pod }
  assert.deepEqual([type, object.kind, object.metadata.name], ['ADDED', 'Pod', 'web'])
  watch.close()
  const request = httpsRequest(`${currentCluster.server}/version`, {
    ...options,
    headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '' },
  })
  request.end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(answer.statusCode, 200)
  answer.resume()
})

function withUser(config: KubeConfig) {
  const [currentUser, currentCluster] = [config.getCurrentUser()!, config.getCurrentCluster()!]
  return { currentUser, currentCluster }
}

const fromBase64 = (text: string | undefined) => Buffer.from(text ?? '', 'base64')

test('the JavaScript client: exec with input and a status, attach, port-forward', async () => {
  const config = jsClient()
  const [stdout, stderr] = [collector(), collector()]
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(
        'default',
        'web',
        'box',
        ['sh', '-c', 'cat; echo err >&2; exit 4'],
        stdout,
        stderr,
        inputOf('in\n'),
        false,
        resolve,
      )
      .catch(reject)
  })
  assert.equal(stdout.text(), 'in\n')
  assert.equal(stderr.text(), 'err\n')
  assert.equal(status.status, 'Failure')
  assert.equal(status.reason, 'NonZeroExitCode')
  assert.equal(status.details?.causes?.[0]?.message, '4')

  const screen = collector()
  const keys = new PassThrough()
  const attached = await new Attach(config).attach('default', 'screen', 'shell', screen, null, keys, true)
  keys.write('echo "js $((40+2))"\n')
  await eventually('an answer on the screen', () => screen.text().includes('js 42'))
  attached.close()

  const page = collector()
  const request = new PassThrough()
  const forwarded = await new PortForward(config).portForward('default', 'web', [80], page, null, request)
  request.write('GET / HTTP/1.0\r\n\r\n')
  await eventually('a page', () => page.text().includes('Welcome to nginx!'))
  if ('close' in forwarded) forwarded.close()
})

// The Pods whose lives are looked at: one for each hook, sidecar, deadline, rule, gate, probe and signal.

/** A container of a shell script. */
export const box = (name: string, script: string, more: object = {}) => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', script],
  ...more,
})

export const pod = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec,
})

const nginx = (more: object) => ({ name: 'web', image: 'nginx', imagePullPolicy: 'IfNotPresent', ...more })

/** Runs until it is told to end. */
export const stays = 'trap "exit 0" TERM; while true; do sleep 0.05; done'

/** Ends with `code`, and leaves its name behind. */
export const tells = (name: string, code: number) =>
  `trap 'echo ${name} >> /out/ends; exit ${code}' TERM; while true; do sleep 0.05; done`

/** Sees the machine's folder at /out, in a Pod with its volume. */
export const shared = { volumeMounts: [{ name: 'out', mountPath: '/out' }] }

const sidecar = { restartPolicy: 'Always' }
const command = (...words: string[]) => ({ exec: { command: words } })

/** `out` is a folder of the machine. */
export const volumesOf = (out: string) => [{ name: 'out', hostPath: { path: out } }]

/** Some of them write to `out`, a folder of the machine. */
export function lifecyclePods(out: string): object[] {
  const volumes = volumesOf(out)
  return [
    pod('hooks', {
      terminationGracePeriodSeconds: 5,
      volumes,
      containers: [
        nginx({
          ...shared,
          lifecycle: {
            postStart: command('sh', '-c', 'echo hello from the hook > /usr/share/nginx/html/index.html'),
            preStop: command('sh', '-c', 'echo bye > /out/bye'),
          },
        }),
        {
          ...nginx({ name: 'tcp', lifecycle: { postStart: { tcpSocket: { port: 8080 } } } }),
          command: [
            'sh',
            '-c',
            "sleep 0.3; sed -i 's/80;/8080;/' /etc/nginx/conf.d/default.conf; exec nginx -g 'daemon off;'",
          ],
        },
      ],
    }),
    pod('badhook', {
      terminationGracePeriodSeconds: 1,
      containers: [
        box('app', stays, { lifecycle: { postStart: command('sh', '-c', 'echo oops >&2; exit 3') } }),
      ],
    }),
    pod('fallback', {
      // It serves before the hook asks: a hook that finds nobody fails, and its container starts anew ever later.
      initContainers: [nginx({ ...sidecar, startupProbe: { httpGet: { port: 80 }, periodSeconds: 1 } })],
      containers: [
        box('app', 'sleep 3600', {
          lifecycle: { postStart: { httpGet: { path: '/', port: 80, scheme: 'HTTPS' } } },
        }),
      ],
    }),
    pod('sides', {
      restartPolicy: 'Never',
      volumes,
      initContainers: [
        box('one', tells('one', 7), {
          ...sidecar,
          ...shared,
          startupProbe: { ...command('true'), periodSeconds: 1 },
        }),
        box('setup', 'true'),
        box('two', tells('two', 8), { ...sidecar, ...shared }),
      ],
      containers: [box('job', 'sleep 1; echo job >> /out/ends', shared)],
    }),
    pod('legacy', {
      restartPolicy: 'Never',
      containers: [
        box('app', 'sleep 1'),
        box('proxy', `sleep 1; touch /ready; ${stays}`, {
          readinessProbe: { ...command('cat', '/ready'), periodSeconds: 1 },
          lifecycle: { type: 'Sidecar' },
        }),
      ],
    }),
    pod('deadline', { activeDeadlineSeconds: 2, containers: [box('app', stays)] }),
    pod('words', {
      restartPolicy: 'Never',
      containers: [
        box('logs', 'echo first; echo last words; exit 1', {
          terminationMessagePolicy: 'FallbackToLogsOnError',
        }),
        box('file', "head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log; exit 2"),
        box('fine', 'echo fine', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
      ],
    }),
    pod('rules', {
      restartPolicy: 'Never',
      volumes: [{ name: 'out', emptyDir: {} }],
      initContainers: [box('init', 'echo x >> /out/inits', shared)],
      containers: [
        box('app', `sleep 0.3; test $(wc -l < /out/inits) -ge 2 || exit 88; ${stays}`, {
          ...shared,
          restartPolicy: 'Never',
          restartPolicyRules: [
            { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
          ],
        }),
        box('other', stays),
      ],
    }),
    pod('gated', { readinessGates: [{ conditionType: 'example.com/go' }], containers: [box('app', stays)] }),
    pod('sick', {
      containers: [
        box('app', "trap '' TERM; while true; do sleep 0.1; done", {
          livenessProbe: {
            ...command('false'),
            periodSeconds: 1,
            failureThreshold: 1,
            initialDelaySeconds: 1,
            terminationGracePeriodSeconds: 1,
          },
        }),
      ],
    }),
    pod('signal', {
      os: { name: 'linux' },
      volumes,
      containers: [
        box('app', "trap 'echo usr1 > /out/signal; exit 0' USR1; while true; do sleep 0.05; done", {
          ...shared,
          lifecycle: { stopSignal: 'SIGUSR1' },
        }),
      ],
    }),
    pod('talk', {
      terminationGracePeriodSeconds: 0,
      containers: [
        box(
          'app',
          'i=0; while true; do echo "line $i of a log that is rotated"; i=$((i+1)); sleep 0.01; done',
        ),
      ],
    }),
  ]
}

// Judges questions about policies the way IAM does.
//
// stdin:  {"account": "…", "policies": [document, …], "resourcePolicies": {service: document},
//          "scp": document or null, "questions": [{"policy": index, "principal": "…", "action": "…",
//          "resource": "…", "context": {…}}, …]}
// stdout: [{"allowed": true, "unknown": [context keys the action does not have], "error": "…"}, …]
//
// Everything that needs an opinion is on the Python side; here is only what has no Python library.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const { account, policies, resourcePolicies, scp, questions } = JSON.parse(readFileSync(0, 'utf8'))

// A KMS key has a policy that must allow it, too. The default one leaves the decision to IAM policies.
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
}

// Where an organization attaches a policy of its own, FullAWSAccess stays beside it.
const FULL_ACCESS = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
}
const SCPS = scp
  ? [
      {
        orgIdentifier: 'r-root',
        policies: [
          { name: 'FullAWSAccess', policy: FULL_ACCESS },
          { name: 'spot-rescue', policy: scp },
        ],
      },
    ]
  : []

// Snapshots, images and "*" have no account in their ARNs: they count as the caller's own. So does what
// another account shares with this one for launches: the share decides about its use there, and the
// policies here decide about the rest.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html
function ownerOf(service, resource) {
  return service === 'ec2' ? account : resource.split(':')[4] || account
}

async function answer({ policy, principal, action, resource, context }) {
  const service = action.split(':')[0]
  const request = {
    principal,
    action,
    resource: { resource, accountId: ownerOf(service, resource) },
    contextVariables: context,
  }
  const simulation = {
    request,
    identityPolicies: policy === null ? [] : [{ name: 'role', policy: policies[policy] }],
    resourcePolicy: service === 'kms' ? KEY_POLICY : resourcePolicies[service],
    serviceControlPolicies: SCPS,
    resourceControlPolicies: [],
  }
  const result = await runSimulation(simulation, { simulationMode: 'Strict' })
  return verdict(result)
}

function verdict(result) {
  if (result.resultType === 'error') return { allowed: false, unknown: [], error: said(result) }
  const all = result.resultType === 'wildcard' ? result.results : [result.result]
  return {
    allowed: result.overallResult === 'Allowed',
    unknown: [...new Set(all.flatMap((it) => it.ignoredContextKeys ?? []))],
  }
}

function said(result) {
  return JSON.stringify(result.errors).slice(0, 400)
}

const verdicts = []
for (const question of questions) verdicts.push(await answer(question))
process.stdout.write(JSON.stringify(verdicts))

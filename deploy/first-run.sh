#!/bin/sh
# A first rescue on an AWS account: launches one small Spot Instance with a data volume, has AWS FIS interrupt it,
# shows where the volume went, and clears away. docs/FIRST-RUN.md says what to expect of it.
#
#     deploy/first-run.sh all                     everything below, one after the other
#     deploy/first-run.sh launch                  the role for AWS FIS, and the instance
#     deploy/first-run.sh ready                   waits until its rescue is prepared
#     deploy/first-run.sh interrupt               two minutes' notice, by AWS FIS
#     deploy/first-run.sh watch                   waits for the outcome in the function's log
#     deploy/first-run.sh clean                   removes what these have made, and what the rescue has left of it
#
# Each may be repeated. What is made bears the tag spot-rescue-first-run, and nothing without it is touched.
# Variables: STACK (spot-rescue), REGION (the CLI's own), TYPE (t3.small), IMAGE (the latest Amazon Linux 2023 for
# x86_64), SUBNET (one of the default VPC's), LOOK (10, the seconds between looks).
set -eu

# The CLI, and what waits: a test names others.
cli=${AWS:-aws}
pause=${SLEEP:-sleep}
stack=${STACK:-spot-rescue}
region=${REGION:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
type=${TYPE:-t3.small}
image=${IMAGE:-}
subnet=${SUBNET:-}

tag=spot-rescue-first-run
role=$tag-fis-$region
latest=/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64
device=/dev/sdf
# Seconds: between looks, and what each wait may take.
look=${LOOK:-10}
most_ready=1500
most_start=120
most_outcome=1200
most_end=900

export AWS_PAGER=''

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'first-run: %s\n' "$*" >&2
    exit 1
}

call() {
    "$cli" --region "$region" --output text "$@"
}

# --- what there is ---------------------------------------------------------------------------------------------------

# The CLI applies a query to each page of an answer, so queries are lists: an empty page prints nothing. For a value
# that is not there it prints "None".
known() {
    [ -n "$1" ] && [ "$1" != None ]
}

instances() { # in these states
    call ec2 describe-instances --filters "Name=tag:$tag,Values=$stack" "Name=instance-state-name,Values=$1" \
        --query 'Reservations[].Instances[].[InstanceId]'
}

alive() {
    instances pending,running,stopping,stopped
}

prepared() { # the launch template and version that an instance's tag names, without the seal behind them
    value=$(call ec2 describe-instances --filters "Name=instance-id,Values=$1" \
        --query "Reservations[].Instances[].Tags[] | [?Key=='spot-rescue:prepared'].[Value]") || return 1
    printf '%s\n' "${value%% @*}"
}

data_volume() { # of an instance
    call ec2 describe-volumes --filters "Name=tag:$tag,Values=$stack" "Name=attachment.instance-id,Values=$1" \
        "Name=attachment.device,Values=$device" --query 'Volumes[].[VolumeId]'
}

volumes() { # in these states
    call ec2 describe-volumes --filters "Name=tag:$tag,Values=$stack" "Name=status,Values=$1" \
        --query 'Volumes[].[VolumeId]'
}

snapshots() {
    call ec2 describe-snapshots --owner-ids self --filters "Name=tag:$tag,Values=$stack" \
        --query 'Snapshots[].[SnapshotId]'
}

experiments() { # templates of experiments
    call fis list-experiment-templates --query "experimentTemplates[?tags.\"$tag\"=='$stack'].[id]"
}

noted() { # what such a template notes under a key
    call fis get-experiment-template --id "$1" --query "experimentTemplate.tags.$2"
}

has_role() { # of ours; one of this name that is another's ends the run
    owner=$(call iam list-role-tags --role-name "$role" --query "Tags[?Key=='$tag'].[Value]" 2>/dev/null) || return 1
    known "$owner" || die "the role $role is there and not made by this script: rename or delete it"
}

# Instances of ours, as EC2 shows them or, when it has forgotten the first, as its interruption is noted.
lineages() {
    instances pending,running,stopping,stopped,shutting-down,terminated
    for id in $(experiments); do
        noted "$id" instance
    done
}

templates() { # launch templates that are the prepared rescue of an instance
    call ec2 describe-launch-templates --filters "Name=launch-template-name,Values=spot-rescue-$1*" \
        "Name=tag:spot-rescue:rescue,Values=$1" --query 'LaunchTemplates[].[LaunchTemplateId]'
}

# --- steps -----------------------------------------------------------------------------------------------------------

launch() {
    group=$(log_group)
    say "stack $stack in $region, log group $group"
    say "cost: about 0.40 US dollars for an hour, most of it the experiment, if you clean up"
    if has_role; then
        say "role $role is there"
    else
        call iam create-role --role-name "$role" --tags "Key=$tag,Value=$stack" \
            --description 'Lets AWS FIS interrupt the Spot Instance of a first run' \
            --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "'"$account"'"}}}]}' >/dev/null
        say "made role $role"
    fi
    # Put again each time, in case the script was stopped between the two.
    call iam put-role-policy --role-name "$role" --policy-name interrupt \
        --policy-document '{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
            {"Effect": "Allow", "Action": "ec2:SendSpotInstanceInterruptions",
             "Resource": "arn:*:ec2:*:*:instance/*",
             "Condition": {"StringEquals": {"aws:ResourceTag/'"$tag"'": "'"$stack"'"}}}]}'
    instance=$(alive)
    if [ -n "$instance" ]; then
        say "instance $instance is there"
        return
    fi
    if [ -z "$(experiments)" ]; then
        run_instance
    else
        die "an earlier run has ended: clear it away with 'clean' first"
    fi
}

run_instance() {
    if [ -z "$image" ]; then
        image=$(call ssm get-parameter --name "$latest" --query Parameter.Value) ||
            die "the latest image is not to be had: name one by IMAGE=ami-..."
    fi
    set --
    if [ -n "$subnet" ]; then
        set -- --subnet-id "$subnet"
    elif [ -z "$(call ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[].[VpcId]')" ]; then
        die "$region has no default VPC: name a subnet by SUBNET=subnet-..."
    fi
    mine="{Key=$tag,Value=$stack},{Key=Name,Value=$tag}"
    instance=$(call ec2 run-instances --image-id "$image" --instance-type "$type" --count 1 "$@" \
        --instance-market-options MarketType=spot --metadata-options HttpTokens=required \
        --block-device-mappings \
        "DeviceName=$device,Ebs={VolumeSize=1,VolumeType=gp3,DeleteOnTermination=false}" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=spot-rescue,Value=on},$mine]" \
        "ResourceType=volume,Tags=[$mine]" --query 'Instances[0].InstanceId') ||
        die "no Spot Instance for now: try another TYPE or SUBNET, or later"
    say "launched $instance ($type, $image), tagged spot-rescue=on"
}

the_instance() { # the one that is alive; nothing if there is none
    found=$(alive)
    case $found in
    *[!a-z0-9-]*)
        die "more than one instance is alive ($(printf '%s' "$found" | tr '\n' ' ')): clear away with 'clean'"
        ;;
    esac
    printf '%s\n' "$found"
}

ready() {
    ! is_interrupted || return 0
    instance=$(the_instance)
    known "$instance" || die "there is no instance yet: run 'launch' first"
    waited=0
    while :; do
        rescue=$(prepared "$instance")
        volume=$(data_volume "$instance")
        ! known "$rescue" || ! known "$volume" || break
        [ "$waited" -lt "$most_ready" ] ||
            die "$instance is not prepared after $waited s: the log group $(log_group) says why"
        "$pause" "$look"
        waited=$((waited + look))
    done
    say "prepared: $instance, its rescue is $rescue (after about $waited s)"
    say "data: $volume is on $instance as $device"
}

interrupt() {
    ! is_interrupted || return 0
    instance=$(the_instance)
    known "$instance" || die "there is no instance yet: run 'launch' first"
    known "$(prepared "$instance")" || die "$instance is not prepared yet: run 'ready' first"
    volume=$(data_volume "$instance")
    if [ -z "$template" ]; then
        target="resourceType=aws:ec2:spot-instance,selectionMode=ALL"
        target="$target,resourceArns=arn:$partition:ec2:$region:$account:instance/$instance"
        action="actionId=aws:ec2:send-spot-instance-interruptions,targets={SpotInstances=one}"
        action="$action,parameters={durationBeforeInterruption=PT2M}"
        template=$(call fis create-experiment-template --description "Interrupts $instance" \
            --role-arn "$(call iam get-role --role-name "$role" --query Role.Arn)" --stop-conditions source=none \
            --targets "one={$target}" --actions "interrupt={$action}" \
            --tags "$tag=$stack,instance=$instance,volume=$volume" --query experimentTemplate.id)
        say "made experiment template $template"
    fi
    experiment=$(call fis start-experiment --experiment-template-id "$template" --tags "$tag=$stack" \
        --query experiment.id)
    waited=0
    while :; do
        status=$(call fis get-experiment --id "$experiment" --query experiment.state.status)
        case $status in
        running | completed) break ;;
        failed | stopped | cancelled)
            die "experiment $experiment is $status: $(call fis get-experiment --id "$experiment" \
                --query experiment.state.reason); a role that is just made is refused for some seconds: run it again"
            ;;
        esac
        [ "$waited" -lt "$most_start" ] ||
            die "experiment $experiment is $status after $waited s: look at it in AWS FIS"
        "$pause" "$look"
        waited=$((waited + look))
    done
    say "interrupted: $instance ends in two minutes (experiment $experiment)"
}

is_interrupted() { # by an experiment that has not failed; says so
    template=$(experiments) || die "the experiments of AWS FIS cannot be listed: see the line above"
    [ -n "$template" ] || return 1
    begun=$(call fis list-experiments --query "experiments[?experimentTemplateId=='$template'
        && !contains(['failed', 'stopped', 'cancelled'], state.status)].[id]")
    known "$begun" || return 1
    say "$(noted "$template" instance) has been interrupted already, by experiment $begun: 'watch' follows it"
}

log_group() {
    found=$(call cloudformation describe-stacks --stack-name "$stack" \
        --query "Stacks[0].Outputs[?OutputKey=='LogGroup'] | [0].OutputValue") ||
        die "there is no stack $stack in $region: deploy it ('sam build', 'sam deploy'), or name it by STACK and REGION"
    known "$found" || die "the stack $stack is not spot-rescue's: it names no log group"
    printf '%s\n' "$found"
}

outcome() { # the last line about the lineage of an instance
    call logs filter-log-events --log-group-name "$group" --filter-pattern '"outcome"' \
        --query "events[?contains(message, '\"rescue\":\"$1\"')].[message]" | grep '"outcome":' | tail -n 1
}

field() { # of a line of JSON: a text without quotes in it
    printf '%s' "$line" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'
}

watch() {
    template=$(experiments)
    known "$template" || die "nothing has been interrupted yet: run 'interrupt' first"
    instance=$(noted "$template" instance)
    volume=$(noted "$template" volume)
    group=$(log_group)
    waited=0
    told=''
    while :; do
        line=$(outcome "$instance") || line=''
        result=$(field outcome)
        if [ "$result" != "$told" ]; then
            told=$result
            say "outcome: $(field message) (after about $waited s)"
        fi
        case $result in
        # The first two go on; they are told in case they last.
        '' | unreplaced | stuck) ;;
        back-in-service) break ;;
        *) die "the rescue of $instance is $result: docs/OPERATE.md says what that means; then run 'clean'" ;;
        esac
        [ "$waited" -lt "$most_outcome" ] ||
            die "no rescue of $instance after $waited s: the log group $group says what it waits for; then run 'clean'"
        "$pause" "$look"
        waited=$((waited + look))
    done
    replacement=$(field replacement)
    place=$(call ec2 describe-volumes --volume-ids "$volume" --query 'Volumes[0].Attachments[0].[InstanceId, Device]')
    [ "$place" = "$(printf '%s\t%s' "$replacement" "$device")" ] ||
        die "$volume is not on $replacement as $device, but on ${place:-nothing}"
    say "data: $volume is on $replacement as $device"
}

clean() {
    changed=''
    rescues=$(lineages | sort -u)
    found=$(alive)
    for id in $found; do
        # Opted out first, so that its end is nothing to the function.
        call ec2 create-tags --resources "$id" --tags Key=spot-rescue,Value=off
        call ec2 terminate-instances --instance-ids "$id" >/dev/null
        say "opted out and terminated $id"
        changed=yes
    done
    waited=0
    while :; do
        ending=$(instances pending,running,stopping,stopped,shutting-down)
        used=$(volumes creating,in-use)
        [ -n "$ending$used" ] || break
        [ "$waited" -lt "$most_end" ] ||
            die "not free after $waited s: $(printf '%s ' "$ending" "$used" | tr '\n' ' '): run 'clean' again"
        "$pause" "$look"
        waited=$((waited + look))
    done
    found=$(volumes available,error)
    for id in $found; do
        call ec2 delete-volume --volume-id "$id"
        say "deleted volume $id"
        changed=yes
    done
    found=$(snapshots)
    for id in $found; do
        call ec2 delete-snapshot --snapshot-id "$id"
        say "deleted snapshot $id"
        changed=yes
    done
    for rescue in $rescues; do
        found=$(templates "$rescue")
        for id in $found; do
            call ec2 delete-launch-template --launch-template-id "$id" >/dev/null
            say "deleted launch template $id"
            changed=yes
        done
    done
    found=$(experiments)
    for id in $found; do
        call fis delete-experiment-template --id "$id" >/dev/null
        say "deleted experiment template $id"
        changed=yes
    done
    if has_role; then
        found=$(call iam list-role-policies --role-name "$role" --query 'PolicyNames[].[@]')
        for name in $found; do
            call iam delete-role-policy --role-name "$role" --policy-name "$name"
        done
        call iam delete-role --role-name "$role"
        say "deleted role $role"
        changed=yes
    fi
    [ -n "$changed" ] || say "nothing of a first run is there"
    say "the stack stays: 'sam delete --stack-name $stack --region $region' removes it"
}

# --- begin -----------------------------------------------------------------------------------------------------------

step=${1:-}
case $step in
all | launch | ready | interrupt | watch | clean) ;;
*)
    sed -n '5,10s/^#     //p' "$0" >&2
    exit 2
    ;;
esac
[ "$#" -eq 1 ] || die "one step at a time; the stack and the Region are named by STACK and REGION"
command -v "$cli" >/dev/null || die "there is no '$cli': install the AWS CLI, or name it by AWS"
[ -n "$region" ] || die "no Region: name one, as in REGION=us-east-1"
# Both get into names and filters.
case $stack$region in
*[!A-Za-z0-9-]*) die "STACK and REGION have letters, digits and hyphens in them" ;;
esac
case $look in
*[!0-9]* | 0*) die "LOOK is a number of seconds" ;;
esac
caller=$(call sts get-caller-identity --query Arn) ||
    die "AWS does not know who you are: configure credentials ('aws configure')"
partition=$(printf '%s' "$caller" | cut -d : -f 2)
account=$(printf '%s' "$caller" | cut -d : -f 5)

case $step in
all)
    launch
    ready
    interrupt
    watch
    clean
    ;;
*) "$step" ;;
esac

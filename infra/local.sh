#!/usr/bin/env bash
# Runs the function on an event: in SAM's container (invoke), the same with the fake of Cognito beside it (local), or
# with the fake and without a container (emulate). From the top of the repository, through make.
set -euo pipefail
command=$1 event=$2
port=${PORT:-5555}
sam_dir=.build/sam
case $(uname -m) in arm64 | aarch64) arch=arm64 goarch=arm64 ;; *) arch=x86_64 goarch=amd64 ;; esac

in_container() { # endpoint, or nothing
	[[ -x infra/node_modules/.bin/cdk ]] || npm ci --prefix infra --no-audit --no-fund --silent
	rm -rf "$sam_dir"
	# cdk.json may have the settings of deployments, which do not apply to a laptop.
	infra/node_modules/.bin/cdk synth -q --no-path-metadata --output "$sam_dir" -c local="${1:-true}" \
		-c environments= -c stage= -c regions= -c architecture="$arch" -c mode="${MODE:-}"
	[[ -z ${1:-} || $command != local ]] || serve "0.0.0.0:$port" # a container does not reach the loopback interface
	sam local invoke Poolkeeper --template "$sam_dir/poolkeeper.template.json" --event "$event" \
		--add-host host.docker.internal:host-gateway ${SAM_FLAGS:-}
}

require_container() {
	local missing=()
	command -v sam >/dev/null || missing+=("sam (the AWS SAM command line)")
	docker info >/dev/null 2>&1 || missing+=("docker (a running engine)")
	((${#missing[@]})) || return 0
	{
		printf 'missing: %s\n' "${missing[@]}"
		echo "The same without a container:"
		if [[ $command == invoke ]]; then
			echo "  go run ./lambda/cmd/poolkeeper replay --audit $event"
			echo "      the handler, in the command line; without --audit it writes"
		else
			echo "  make emulate EVENT=$event"
			echo "      the function alone; make stack is the whole deployment"
		fi
	} >&2
	exit 1
}

serve() { # address
	CGO_ENABLED=0 go build -trimpath -o .build/poolkeeper ./lambda/cmd/poolkeeper
	.build/poolkeeper demo --serve "$1" &
	fake=$!
	trap 'kill $fake 2>/dev/null || true; wait $fake 2>/dev/null || true' EXIT
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
		kill -0 $fake 2>/dev/null || break
		sleep 0.1
	done
	echo "the fake does not listen on port $port: PORT= takes another" >&2
	exit 1
}

[[ -r $event ]] || { echo "no event $event: say EVENT=lambda/event/testdata/update-user-pool.json" >&2; exit 1; }
case $command in
invoke)
	require_container
	# Against AWS itself nothing is written unless MODE=enforce asks for it.
	MODE=${MODE:-$([[ -n ${ENDPOINT:-} ]] || echo audit)}
	in_container "${ENDPOINT:-}"
	;;
local)
	require_container
	in_container "http://host.docker.internal:$port"
	;;
emulate)
	make -s function ARCHITECTURES=$goarch
	serve "127.0.0.1:$port"
	AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="http://127.0.0.1:$port" AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=example \
		AWS_SECRET_ACCESS_KEY=example go run ./infra/emulate ".build/$goarch/bootstrap" "$event"
	;;
esac

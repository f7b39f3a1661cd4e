"""What `accelerate launch -m` starts in the tests: `rag-dolly`, with FSDP on the processor where that is configured.

accelerate takes FSDP for granted on accelerators only: several processes on the processor are DDP to it whatever the
configuration says. So it is told here that they are several GPUs. Everything else is what a user runs: torch's FSDP
over gloo instead of NCCL.
"""

import os

from rag_dolly.cli import main

if __name__ == "__main__":
    if os.environ.get("ACCELERATE_USE_FSDP") == "true":
        from accelerate.state import PartialState
        from accelerate.utils import DistributedType

        PartialState(cpu=True)
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    main()

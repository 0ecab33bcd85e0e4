/* create: the nine phases, in their order. */

#include "base/cleanup.h"
#include "lifecycle/phases.h"

const Step create_steps[CREATE_STEPS] = {
        { "validate",  0,          validate_request,  NULL            }, /* the id itself is released by the runner, last of all */
        { "image",     STEP_IMAGE, ensure_image,      drop_image      },
        { "layers",    STEP_IMAGE, ensure_layers,     drop_layers     },
        { "rootfs",    STEP_IMAGE, make_root,         remove_root     },
        { "storage",   STEP_IMAGE, check_volumes,     NULL            },
        { "configure", STEP_IMAGE, write_config,      remove_config   },
        { "runtime",   0,          create_in_runtime, kill_in_runtime },
        { "hooks",     0,          run_hooks,         NULL            }, /* what ran them runs their poststop too */
        { "publish",   0,          publish,           unpublish       },
};

int lifecycle_create(const Lifecycle *lifecycle, const CreateRequest *request, Error *err) {
        _cleanup_transaction_ Transaction t;

        transaction_init(&t, lifecycle, request, create_steps, CREATE_STEPS);
        /* A bundle's container has no monitor: its stdio is the caller's, as with runc. */
        t.monitored = request->image != NULL;
        if (transaction_run(&t, NULL, err) < 0)
                return error_prefix(err, "create '%s'", request->id);
        return 0;
}

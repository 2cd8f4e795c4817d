"""Not part of Sabir: who asks for it learns so, as where Ray is installed without it."""

raise ModuleNotFoundError("ray.workflow is not part of Sabir, which has Ray's Core interface only", name="ray.workflow")

"""License configurations: what software licenses an instance uses.

AWS: a launch names them, in the request or by its template, and needs `ec2:RunInstances` on each
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html); DescribeInstances
shows them as `licenses`
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LicenseConfiguration.html). An image that is
associated with one brings it along, and by License Manager an instance is given one later; neither is
played here. moto forgets them.

Not verified on AWS: that a request's take the place of the template's, and are not added to them; how
long an instance that has ended shows its own.
"""

from typing import Any


def named(data: dict[str, Any]) -> list[str]:
    """ARNs, by what a launch says."""
    return [it["LicenseConfigurationArn"] for it in data.get("LicenseSpecifications") or []]


def shown(instance: Any) -> list[dict[str, str]]:
    arns = named(getattr(instance, "launched_as", {}))
    return [{"LicenseConfigurationArn": it} for it in arns]

"""Outages on record, replayed: as they happened and with the countermeasures that were taken afterwards.

An incident is a folder below scenarios/incidents/:

    NAME/incident.yaml              what is on record, and in what the two variants must differ; see `reading`
    NAME/as-happened.yaml           a scenario, which must lose what was lost
    NAME/with-countermeasures.yaml  a scenario, which must hold
    NAME/*.yml                      Compose overrides that the variants lay over the topology (`with: [./x.yml]`)
    NAME/runbooks/ congestion/ events.yaml   what else its scenarios need, as beside any scenario
"""

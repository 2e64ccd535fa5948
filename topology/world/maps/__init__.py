"""MAPS, docomo's access network: what a handset attaches to before it reaches anything.

    handset ── block MSB │ MSC │ MSD │ MSF      who this is (authentication, address), then where the service is (DNS)
                 │  two paths, one in use
               storage 1, storage 2             what every session is written to
    steering                                    which block serves which area

On 2020-05-30 storage under MSF failed, the software that should have noticed did not switch paths, and its users were
cut off until the other blocks had been widened, step by step (MIC). On 2011-12-20 all handsets came back at once after
a fault of a link, and addresses were swapped between users (PUB).
"""
